"""Recipes of translation: what is weighed with what, whose pool holds what, how a run goes on."""

import math
from dataclasses import asdict, replace
from types import SimpleNamespace

import pytest
import torch

from gdmcourse.data.outline import outline
from gdmcourse.gan.translation import cycle_loss, identity_loss
from gdmcourse.recipes import find_recipe
from gdmcourse.training.player import Turn

CYCLE = replace(find_recipe("cyclegan-digits", "smoke"), steps=6, warmup=2, save_every=3)
PAIRED = find_recipe("pix2pix-digits", "smoke")
ENLARGE = find_recipe("srgan-digits", "smoke")


def turn() -> Turn:
    return Turn(1, torch.Generator().manual_seed(0))


@pytest.fixture(scope="module")
def cycle():
    """Networks before training, and a batch of outlines and of other images."""
    train = CYCLE.data("train")
    return SimpleNamespace(**CYCLE.build(train)), tuple(part[:8] for part in CYCLE.tensors(train))


@pytest.mark.parametrize(("mine", "other"), [("forth", "back"), ("back", "forth")])
def test_cycle_and_identity_have_each_their_own_weight(cycle, mine, other):
    networks, batch = cycle

    def loss(**weights: float) -> float:
        return replace(CYCLE, **weights).generator_loss(mine, other)(networks, batch, turn()).item()

    there, back = getattr(networks, mine), getattr(networks, other)
    source, target = batch if mine == "forth" else batch[::-1]
    bare = loss(cycle_weight=0.0, identity_weight=0.0)
    cycles = cycle_loss(there, back, source) + cycle_loss(back, there, target)
    assert loss(cycle_weight=3.0, identity_weight=0.0) - bare == pytest.approx(3 * cycles.item(), rel=1e-4)
    kept = identity_loss(there, target).item()
    assert loss(cycle_weight=0.0, identity_weight=7.0) - bare == pytest.approx(7 * kept, rel=1e-4)
    assert abs(cycles.item() - kept) > 0.1


def test_each_pool_holds_what_the_other_domain_was_made_into():
    """A generator that makes white of everything and one that makes black: no pool has both."""
    train = CYCLE.data("train")
    networks = SimpleNamespace(**CYCLE.build(train))
    batch = tuple(part[:8] for part in CYCLE.tensors(train))
    networks.forth = lambda a: torch.full_like(a, 0.25)
    networks.back = lambda b: torch.full_like(b, -0.75)
    for domain, maker in (("a", "back"), ("b", "forth")):
        replace(CYCLE, r1_weight=0.0).critic_loss(maker, domain)(networks, batch, turn())
    assert int(networks.pool_a.held) == int(networks.pool_b.held) == 8
    assert set(networks.pool_a.images[:8].unique().tolist()) == {-0.75}
    assert set(networks.pool_b.images[:8].unique().tolist()) == {0.25}


def test_the_players_name_the_makers_of_their_critics_domain(cycle):
    """With constant generators in the place of the trained ones, the fakes of each critic are seen."""
    networks, batch = cycle
    shown: dict[str, list[torch.Tensor]] = {"a": [], "b": []}
    spied = SimpleNamespace(**vars(networks))
    spied.forth = lambda a: torch.full_like(a, 0.25)
    spied.back = lambda b: torch.full_like(b, -0.75)

    def spy(domain):
        return lambda x: shown[domain].append(x) or torch.zeros(len(x), 1, 1)

    spied.critic_a, spied.critic_b = spy("a"), spy("b")
    spied.pool_a = spied.pool_b = lambda images, rng: images
    players = replace(CYCLE, r1_weight=0.0).players(vars(networks))
    for name in ("critic_a", "critic_b"):
        players[name].loss(spied, batch, turn())
    assert torch.equal(shown["a"][0], batch[0])
    assert shown["a"][1].unique().tolist() == [-0.75]
    assert torch.equal(shown["b"][0], batch[1])
    assert shown["b"][1].unique().tolist() == [0.25]


def test_each_generator_is_judged_by_the_critic_of_what_it_makes(cycle):
    """Both domains have one channel, so the other critic would take its images without a complaint."""
    networks, batch = cycle
    said = {"critic_a": 2.0, "critic_b": -1.0}
    critics = {name: lambda x, f=f: f + x[:, 0] for name, f in said.items()}
    grey = {"forth": torch.zeros_like, "back": torch.zeros_like}
    spied = SimpleNamespace(**vars(networks) | critics | grey)
    players = replace(CYCLE, cycle_weight=0.0, identity_weight=0.0).players(vars(networks))
    for name, critic in (("forth", "critic_b"), ("back", "critic_a")):
        loss = players[name].loss(spied, batch, turn()).item()
        assert loss == pytest.approx(math.log1p(math.exp(-said[critic])), rel=1e-5)


def test_there_are_no_pairs_in_the_unpaired_data():
    train = CYCLE.data("train")
    outlines, images = CYCLE.tensors(train)
    assert len(outlines) == len(images) == len(train) // 2
    pixels = {tuple(image.flatten().tolist()) for image in images}
    sources = [tuple(image.flatten().tolist()) for image in train.images[0::2]]
    assert torch.equal(outlines, outline(train.images[0::2][: len(outlines)]))
    assert not pixels & set(sources)


def test_every_optimiser_follows_the_schedule_once():
    modules = CYCLE.build(CYCLE.data("train"))
    players = CYCLE.players(modules)
    optimizers = {name: player.make_optimizer(modules[name]) for name, player in players.items()}
    assert len({id(optimizer) for optimizer in optimizers.values()}) == 4
    held = [id(p) for o in optimizers.values() for group in o.param_groups for p in group["params"]]
    assert len(held) == len(set(held))
    for step in range(1, CYCLE.steps + 1):
        for name, player in players.items():
            player.set_rate(optimizers[name], step)
        rates = {group["lr"] for o in optimizers.values() for group in o.param_groups}
        assert rates == {CYCLE.rate()(step)}


def test_a_run_that_was_stopped_goes_on_with_its_pools_to_the_bit(tmp_path):
    train = CYCLE.data("train")
    recipe = replace(CYCLE, pool=5)
    whole = recipe.train(train, checkpoint=tmp_path / "whole", progress=False)

    class Stopped(Exception):
        pass

    class Stopping(type(recipe)):
        def after_step(self, modules, step):
            if step == 4:
                raise Stopped

    with pytest.raises(Stopped):
        Stopping(**asdict(recipe)).train(train, checkpoint=tmp_path / "broken", progress=False)
    resumed = recipe.train(train, checkpoint=tmp_path / "broken", progress=False)
    for name, module in whole.modules.items():
        for key, value in module.state_dict().items():
            assert torch.equal(value, resumed.modules[name].state_dict()[key]), f"{name}.{key}"
    assert int(whole.modules["pool_a"].held) == 5
    assert not torch.equal(whole.modules["pool_a"].images, whole.modules["pool_b"].images)


@pytest.mark.parametrize("recipe", [PAIRED, ENLARGE], ids=["pix2pix", "srgan"])
def test_without_its_word_there_is_no_critic_and_the_loss_is_the_regressions(recipe):
    train = recipe.data("train")
    plain = replace(recipe, adversarial_weight=0.0)
    modules = recipe.build(train)
    assert list(plain.players(modules)) == ["generator"]
    assert list(recipe.players(modules)) == ["critic", "generator"]
    networks, batch = SimpleNamespace(**modules), tuple(part[:4] for part in recipe.tensors(train))

    def loss(weight: float) -> torch.Tensor:
        return replace(recipe, adversarial_weight=weight).generator_loss(networks, batch, turn()).detach()

    word = loss(1.0) - loss(0.0)
    torch.testing.assert_close(loss(3.0) - loss(0.0), 3 * word, atol=1e-4, rtol=1e-4)
    with torch.no_grad():
        made = recipe.made(networks, batch, turn().rng)
        logits = networks.critic(recipe.shown(batch[0], made))
    torch.testing.assert_close(word, torch.nn.functional.softplus(-logits).mean(), atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(loss(0.0), recipe.unlikeness(made, batch[1]))


def test_the_critic_of_pix2pix_sees_the_question():
    batch = tuple(part[:2] for part in PAIRED.tensors(PAIRED.data("train")))
    assert torch.equal(PAIRED.real(batch)[:, :1], batch[0])
    assert torch.equal(PAIRED.real(batch)[:, 1:], batch[1])
    assert torch.equal(ENLARGE.shown(*batch), batch[1])


def test_filling_pays_its_weight_times_the_mean_absolute_error():
    rng = torch.Generator().manual_seed(0)
    made, real = (torch.rand(3, 1, 8, 8, generator=rng) for _ in range(2))
    paid = replace(PAIRED, l1_weight=3.0).unlikeness(made, real)
    torch.testing.assert_close(paid, 3 * (made - real).abs().mean())


def test_the_weights_of_enlarging_belong_to_pixels_and_features():
    rng = torch.Generator().manual_seed(0)
    made, real = (torch.rand(3, 1, 8, 8, generator=rng) for _ in range(2))

    def loss(pixel: float, perceptual: float) -> torch.Tensor:
        return replace(ENLARGE, pixel_weight=pixel, perceptual_weight=perceptual).unlikeness(made, real)

    torch.testing.assert_close(loss(2.0, 0.0), 2 * (made - real).square().mean())
    torch.testing.assert_close(loss(2.0, 3.0), loss(2.0, 0.0) + 3 * loss(0.0, 1.0))
    assert loss(0.0, 1.0) > 0


@pytest.mark.parametrize(
    ("recipe", "change", "sentence"),
    [
        (PAIRED, {"l1_weight": -1.0}, "l1_weight must be at least 0"),
        (PAIRED, {"adversarial_weight": -1.0}, "adversarial_weight must be at least 0"),
        (PAIRED, {"halvings": -1}, "halvings must be at least 0, not -1"),
        (PAIRED, {"penalty": "r1"}, "penalty must be null: a critic of patches has many logits"),
        (CYCLE, {"halvings": -1}, "halvings must be at least 0, not -1"),
        (ENLARGE, {"features": "cifar10"}, "features must be one of digits, mnist, not cifar10"),
        (ENLARGE, {"perceptual_weight": -1.0}, "perceptual_weight must be at least 0"),
        (CYCLE, {"pool": -1}, "pool must be at least 0"),
        (CYCLE, {"identity_weight": float("nan")}, "identity_weight must be at least 0"),
        (CYCLE, {"objective": "minmax"}, "there is no objective 'minmax'"),
    ],
)
def test_settings_that_cannot_be_are_named(recipe, change, sentence):
    with pytest.raises(ValueError, match=sentence):
        replace(recipe, **change)


@pytest.mark.parametrize("name", ["pix2pix-digits", "cyclegan-digits", "srgan-digits"])
def test_a_recipe_scores_its_answers(name):
    recipe = find_recipe(name, "smoke")
    model = recipe.build(recipe.data("train"))[recipe.result].eval()
    scores = recipe.metrics(model, torch.Generator().manual_seed(0))
    assert set(scores) == {"l1", "psnr", "features", "class_accuracy"}
    assert scores["l1"] > 0.3
    assert recipe.sample(model, 3, torch.Generator().manual_seed(0)).shape == (3, 1, 8, 8)
