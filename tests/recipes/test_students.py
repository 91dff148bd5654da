"""Students: where they start, what moves them, what they are built on, and what their training costs."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from gdmcourse.diffusion.cost import multiplications
from gdmcourse.diffusion.samplers import ddim
from gdmcourse.recipes import find_recipe
from gdmcourse.recipes.trained import trained
from gdmcourse.recipes.training_cost import training_multiplications
from gdmcourse.training.player import Turn
from tests.oracles import gen

close = torch.testing.assert_close
STUDENTS = ["distilled-digits", "adversarial-distillation-digits", "matching-digits", "matching-gan-digits"]


def noise(n: int = 6):
    return torch.randn(n, 1, 8, 8, generator=gen(3)), torch.arange(n)


def test_a_student_starts_as_one_step_of_ddim():
    recipe = find_recipe("distilled-digits", "smoke")
    teacher = trained("ddpm-digits", "smoke")
    student = recipe.build(recipe.data("train"))["generator"]
    z, y = noise()
    with torch.no_grad():
        ours = student(z, y)
    theirs = ddim(teacher.recipe.denoiser(teacher.model), teacher.recipe.schedule(), z, [1000, 0], y=y)
    close(ours, theirs, atol=0.02, rtol=0)  # which divides by what is left of the signal at the last time


def test_lessons_are_the_teachers_walks_from_the_same_noise():
    recipe = find_recipe("distilled-digits", "smoke")
    train = recipe.data("train")
    few = replace(train, images=train.images[:4], labels=train.labels[:4])
    images, labels, z, wanted = recipe.tensors(few)
    assert len(images) == 4 * recipe.rounds
    close(images[:4], images[4:8])
    teacher = trained("ddpm-digits", "smoke")
    times = [1000, 750, 500, 250, 0]
    walked = ddim(
        teacher.recipe.denoiser(teacher.model), teacher.recipe.schedule(), z, times, y=labels, clip=1.0
    )
    close(wanted, walked, atol=1e-5, rtol=0)


def test_with_a_constant_critic_it_is_plain_distillation():
    """The gradients of both losses agree where the critic says the same of every image."""
    plain, both = (find_recipe(name, "smoke") for name in STUDENTS[:2])
    train = plain.data("train")
    few = replace(train, images=train.images[:4], labels=train.labels[:4])
    batch = plain.tensors(few)
    gradients = []
    for recipe, critic in ((plain, None), (both, lambda x, y: 0 * x.flatten(1).sum(1) + 0.7)):
        networks = SimpleNamespace(**recipe.build(train))
        networks.critic = critic
        recipe.generator_loss(networks, batch, Turn(1, gen(0))).backward()
        gradients.append([p.grad for p in networks.generator.parameters() if p.grad is not None])
    close(*gradients)


def test_the_matched_student_starts_where_it_says_and_is_moved_by_the_gap():
    """At the start fake and teacher are one, so nothing pulls; once fake has moved, something does."""
    recipe = find_recipe("matching-digits", "smoke")
    train = recipe.data("train")
    modules = recipe.build(train)
    start = trained("distilled-digits", "smoke").model
    z, y = noise()
    with torch.no_grad():
        close(modules["generator"](z, y), start(z, y))
    player = recipe.players(modules)["generator"]
    batch = train.images[:6], train.labels[:6]

    def pull():
        modules["generator"].zero_grad()
        player.loss(SimpleNamespace(**modules), batch, Turn(1, gen(0))).backward()
        return sum(p.grad.abs().sum().item() for p in modules["generator"].parameters() if p.grad is not None)

    assert pull() < 1e-6
    with torch.no_grad():
        for parameter in modules["fake"].parameters():
            parameter.add_(0.01)
    assert pull() > 1e-3
    assert all(parameter.grad is None for parameter in modules["fake"].parameters())


def test_the_denoising_generator_starts_as_the_denoiser_whatever_z():
    recipe = find_recipe("denoising-gan-digits", "smoke")
    generator = recipe.build(recipe.data("train"))["generator"]
    x, y = noise()
    t = torch.full((6,), 500)
    z = torch.randn(2, 6, recipe.noise_dim, generator=gen(1))
    with torch.no_grad():
        close(generator(x, t, z[0], y), generator(x, t, z[1], y))
    teacher = trained("ddpm-digits", "smoke")
    level = teacher.recipe.schedule().noise_levels([500])[0]
    with torch.no_grad():
        guess = (x - level.sigma * teacher.recipe.denoiser(teacher.model)(x, t, y)) / level.signal
        close(generator(x, t, z[0], y), guess, atol=1e-4, rtol=1e-4)


def test_what_a_student_is_built_on_is_named():
    names = {name: [type(below).__name__ for below in find_recipe(name).below()] for name in STUDENTS}
    assert names["distilled-digits"] == ["DDPMRecipe"]
    assert names["matching-digits"] == ["DDPMRecipe", "DistilledRecipe"]
    with pytest.raises(ValueError, match="built on a network"):
        find_recipe("distilled-digits").with_images(Path(__file__), None)


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("distilled-digits", {"teacher": "dcgan-digits"}, "must be a diffusion model"),
        ("distilled-digits", {"teacher": "latent-digits"}, "must be a diffusion model"),
        ("distilled-digits", {"teacher": "flow-matching-digits"}, "must be a diffusion model"),
        ("distilled-digits", {"dataset": "mnist"}, "dataset must be that of the teacher, digits"),
        ("adversarial-distillation-digits", {"objective": "hinge"}, "objective must be non-saturating"),
        ("distilled-digits", {"join": "product"}, "join must be"),
        ("distilled-digits", {"label_noise": 0.1}, "label_noise must be 0"),
        ("denoising-gan-digits", {"zoom": 2}, "zoom must be 1"),
        ("matching-digits", {"start": "dcgan-digits"}, "start must be distilled from ddpm-digits"),
        ("matching-digits", {"start_preset": "smoke"}, "start must be distilled from ddpm-digits"),
        ("matching-digits", {"times": (0.5, 0.5001)}, "with a time between them"),
        ("distilled-digits", {"teacher": "ddpm-cifar10"}, 'target="velocity"'),
        ("distilled-digits", {"teacher_steps": 0}, "teacher_steps must be at least 1"),
        ("matching-digits", {"times": (0.5, 0.2)}, "two shares of T"),
        ("denoising-gan-digits", {"penalty": "r1+r2"}, "r1 or null"),
        ("adversarial-flow-line", {"weights": (-1.0,)}, "none below 0"),
        ("adversarial-flow-line", {"std": 0.0}, "std must be above 0"),
    ],
)
def test_what_cannot_be_is_refused(name, change, message):
    with pytest.raises(ValueError, match=message):
        replace(find_recipe(name), **change)


def test_the_cost_of_a_training_is_that_of_its_passes():
    """Forward once, backward about twice; the teacher's walks are counted with a student's lessons."""
    plain = find_recipe("ddpm-digits", "smoke")
    train = plain.data("train")
    network = plain.build(train)["model"]
    z, y = noise()
    passed = multiplications(network, z, torch.full((6,), 500), y) / 6
    drawn = plain.steps * plain.batch_size
    assert 2.6 < training_multiplications(plain) / (drawn * passed) < 3.0
    student = find_recipe("distilled-digits", "smoke")
    lessons = student.rounds * student.teacher_steps * len(train.images)
    wanted = training_multiplications(plain) / drawn * student.steps * student.batch_size + lessons * passed
    assert training_multiplications(student) == pytest.approx(wanted, rel=1e-3)


def test_of_a_lazy_penalty_the_share_of_its_turns_is_counted():
    recipe = find_recipe("cgan-digits", "smoke")
    often, lazy = (training_multiplications(replace(recipe, penalty_every=k)) for k in (1, 2))
    never = training_multiplications(replace(recipe, penalty=None))
    assert often > 1.1 * never
    assert lazy == pytest.approx((often + never) / 2, rel=1e-6)
