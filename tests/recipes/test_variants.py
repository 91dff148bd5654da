"""Every diffusion system is a recipe: schedules, targets, a learned variance, VP and VE SDE."""

import math
from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

from gdmcourse.data import load
from gdmcourse.diffusion import q_sample
from gdmcourse.diffusion.bound import bound_term, interpolated_log_variance
from gdmcourse.diffusion.sde import VPSDE
from gdmcourse.recipes import find_recipe
from gdmcourse.recipes.run_folder import run_recipe
from gdmcourse.recipes.settings import with_settings
from gdmcourse.training import make_fabric

VARIANTS = ["improved-ddpm-digits", "vp-sde-digits", "ve-sde-digits"]


def train(recipe, steps: int) -> nn.Module:
    """A few steps of the recipe on one core, at a constant rate."""
    recipe = replace(recipe, steps=steps, warmup=None, ema_decay=None, threads=1)
    return recipe.train(fabric=make_fabric(1, 1, accelerator="cpu"), progress=False).modules["model"]


def noised(recipe, n: int = 64) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Held-out images, times in the middle, noise, and x_t."""
    generator = torch.Generator().manual_seed(1)
    x0 = load("digits", "test").images[:n]
    t = torch.randint(300, 700, (n,), generator=generator)
    noise = torch.randn(x0.shape, generator=generator)
    return x0, t, noise, q_sample(recipe.schedule(), x0, t, noise)


@pytest.mark.parametrize("noise", ["linear", "cosine"])
@pytest.mark.parametrize("target", ["noise", "x0", "velocity"])
def test_every_schedule_and_target_trains_to_one_kind_of_denoiser(noise, target):
    recipe = with_settings(find_recipe("ddpm-digits", "smoke"), [f"noise={noise}", f"target={target}"])
    recipe = replace(recipe, batch_size=32, lr=4e-3)
    model = train(recipe, 150)
    _, t, eps, x_t = noised(recipe)
    with torch.no_grad():
        error = (recipe.denoiser(model)(x_t, t) - eps).square().mean()
    assert float(error) < 0.5  # 1 is what no prediction gives


@pytest.mark.parametrize("name", VARIANTS)
def test_a_run_leaves_samples_and_scores(name, tmp_path):
    outcome = run_recipe(name, "smoke", out=tmp_path / "run", progress=False)
    assert (outcome.folder / "samples.png").exists()
    assert outcome.metrics["frechet"] > outcome.metrics["frechet_reference"]


def test_the_variance_is_learned_beside_the_noise():
    """After a little training v brings the bound below its value at the start (v = 0), with the same ε̂."""
    recipe = replace(find_recipe("improved-ddpm-digits", "smoke"), batch_size=32, lr=4e-3)
    model = train(recipe, 250)
    schedule = recipe.schedule()
    x0, t, eps, _ = noised(recipe, 300)
    t = t % 40 + 1  # where the two extremes differ
    x_t = q_sample(schedule, x0, t, eps)
    with torch.no_grad():
        said, v = model(x_t, t).chunk(2, dim=1)
    assert torch.equal(recipe.denoiser(model)(x_t, t), said)
    terms = {
        name: bound_term(
            schedule, x0, x_t, t, said, interpolated_log_variance(schedule, at, t), recipe.grey_levels
        ).mean()
        for name, at in (("learned", v), ("start", torch.zeros_like(v)))
    }
    assert terms["learned"] < terms["start"] - 0.05
    assert recipe._test_loss(model, torch.Generator().manual_seed(0)) < 0.6


class Exact(nn.Module):
    """A network that is this function."""

    def __init__(self, function):
        super().__init__()
        self.forward = function


POINT = torch.linspace(-0.9, 0.9, 64).view(1, 1, 8, 8)  # data of one image, whose scores are known


def test_a_learned_variance_is_drawn_with():
    """ε̂ exact for one image, v = −1 (no variance but the posterior's): all samples are that image."""
    recipe = replace(find_recipe("improved-ddpm-digits", "laptop"), sample_steps=50)
    schedule, seen = recipe.schedule(), []

    def model(x: Tensor, t: Tensor, y: Tensor | None = None) -> Tensor:
        seen.append(y)
        signal, sigma = (table[t].sqrt().view(-1, 1, 1, 1) for table in
                         (schedule.alpha_bar, schedule.one_minus_alpha_bar))  # fmt: skip
        return torch.cat([(x - signal * POINT) / sigma, -torch.ones_like(x)], dim=1)

    labels = torch.tensor([3, 1, 4])
    images = recipe.draw(Exact(model), labels, torch.Generator().manual_seed(0))
    torch.testing.assert_close(images, POINT.expand(3, 1, 8, 8), atol=1e-4, rtol=0)
    assert all(torch.equal(y, labels) for y in seen)


@pytest.mark.equation("eq-reverse-sde")
def test_the_vp_sde_is_walked_on_the_clock_of_the_network():
    """Data N(POINT / 2, 0.1² I), whose noise is known: a walk with too strong a pull would narrow it."""
    recipe = replace(find_recipe("vp-sde-digits", "laptop"), sample_steps=200)
    seen = []

    def model(x: Tensor, t: Tensor, y: Tensor | None = None) -> Tensor:
        seen.append((float(t[0]), y))
        signal, sigma = VPSDE().marginal(float(t[0]) / recipe.T)
        return sigma * (x - signal * POINT / 2) / (0.01 * signal**2 + sigma**2)

    labels = torch.arange(40) % 10
    images = recipe.draw(Exact(model), labels, torch.Generator().manual_seed(0))
    torch.testing.assert_close(images.mean(0), POINT[0] / 2, atol=0.08, rtol=0)
    assert float((images - POINT / 2).std()) == pytest.approx(0.1, rel=0.08)
    assert seen[0][0] == recipe.T
    assert min(t for t, _ in seen) > 1
    assert len(seen) == 200 + 199  # a corrector after each step but the last
    assert all(torch.equal(y, labels) for _, y in seen)


@pytest.mark.equation("eq-reverse-sde")
def test_the_vp_walk_without_a_corrector_has_the_width_of_wide_data():
    """Data N(POINT / 4, 0.3² I), where the drift counts: with its sign changed, 0.26 is left."""
    recipe = replace(find_recipe("vp-sde-digits", "laptop"), sample_steps=200, corrector_steps=0)

    def model(x: Tensor, t: Tensor, y: Tensor | None = None) -> Tensor:
        signal, sigma = VPSDE().marginal(float(t[0]) / recipe.T)
        return sigma * (x - signal * POINT / 4) / (0.09 * signal**2 + sigma**2)

    images = recipe.draw(Exact(model), torch.arange(200) % 10, torch.Generator().manual_seed(0))
    torch.testing.assert_close(images.mean(0), POINT[0] / 4, atol=0.08, rtol=0)
    assert float((images - POINT / 4).std()) == pytest.approx(0.3, rel=0.04)


@pytest.mark.equation("eq-reverse-sde")
def test_the_ve_sde_is_walked_over_trained_noise_levels():
    """The same data; of the noise of the smallest level, Tweedie's estimate leaves v²/(v + σ²) of v."""
    recipe = find_recipe("ve-sde-digits", "laptop")
    seen = []

    def model(x: Tensor, sigma: Tensor) -> Tensor:
        seen.append(float(sigma[0]))
        return (POINT / 2 - x) / (0.01 + sigma.view(-1, 1, 1, 1) ** 2)

    images = recipe.sample(Exact(model), 40, torch.Generator().manual_seed(0))
    torch.testing.assert_close(images.mean(0), POINT[0] / 2, atol=0.08, rtol=0)
    left = 0.01 / math.sqrt(0.01 + recipe.smallest**2)
    assert float((images - POINT / 2).std()) == pytest.approx(left, rel=0.08)
    assert max(seen) == pytest.approx(recipe.largest, rel=1e-3)
    assert min(seen) == pytest.approx(recipe.smallest)
    assert all(math.isfinite(sigma) for sigma in seen)


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("ddpm-digits", "T=0", "at least one step"),
        ("ddpm-digits", "sample_steps=2000", r"1 … T = 1000, not 2000"),
        ("ddpm-digits", "noise=linea", "there are: cosine, linear"),
        ("ddpm-digits", "target=score", "not 'score'"),
        ("ddpm-digits", "drop_out=0.1", "with a field of: steps, batch_size"),
        ("ddpm-digits", "target", "FIELD=VALUE"),
        ("ddpm-digits", "steps=many", "steps is .* so 'many' can't replace it"),
        ("vp-sde-digits", "noise=cosine", 'noise="linear"'),
        ("improved-ddpm-digits", "target=x0", "the target is the noise"),
        ("made-digits", "width=0", "width must be at least 1, not 0"),
        ("rowlstm-digits", "dropout=NaN", r"dropout must be in \[0, 1\), not nan"),
        ("pixelcnn-digits", "layers=0", "layers must be at least 1, not 0"),
        ("transformer-digits", "heads=0", "heads must be a divisor of width, not 0"),
        ("transformer-digits", "layers=0", "layers must be at least 1, not 0"),
        ("transformer-text", "heads=3", "heads must be a divisor of width, not 3"),
        ("transformer-text", "length=0", "length must be at least 1, not 0"),
        ("transformer-molecules", "strings=-1", "strings must be at least 1, not -1"),
        ("wavenet-waves", "dilations=[1, 0]", r"dilations must be numbers from 1 on, not \(1, 0\)"),
        ("flow-toy", "width=-1", "width must be at least 1, not -1"),
        ("flow-digits", "draws=0", "draws must be at least 1, not 0"),
        ("hmm-dice", "states=0", "states must be at least 1, not 0"),
    ],
)
def test_what_cannot_be_trained_is_refused_before_the_training(name, change, message):
    with pytest.raises(ValueError, match=message):
        with_settings(find_recipe(name, "laptop"), [change])


def test_whole_numbers_stand_for_floats_alone_and_in_lists():
    recipe = with_settings(find_recipe("dcgan-digits"), ["betas=[0, 0.99]", "penalty_weight=1"])
    assert recipe.betas == (0.0, 0.99)
    assert [type(value) for value in (*recipe.betas, recipe.penalty_weight)] == [float] * 3


def test_settings_are_numbers_words_and_lists():
    recipe = with_settings(
        find_recipe("ddpm-digits", "smoke"), ["lr=1", "multipliers=[1, 2]", "flip=true", "noise=linear"]
    )
    assert (recipe.lr, recipe.multipliers, recipe.flip, recipe.noise) == (1.0, (1, 2), True, "linear")
    assert isinstance(recipe.lr, float)
