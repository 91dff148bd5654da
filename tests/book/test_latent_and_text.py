"""Claims of the chapter on latents and text whose formulas stand on the page and not in the library."""

import itertools
import math

import pytest
import torch
from torch import nn

from gdmcourse.diffusion import cosine_schedule, exact_denoiser
from gdmcourse.diffusion.latent import Autoencoder, LatentSpace
from gdmcourse.diffusion.samplers import inpaint, spaced_times
from gdmcourse.diffusion.text import slant
from gdmcourse.nn.attention import Attention
from gdmcourse.probability import GaussianMixture, kl
from tests.oracles import normal

close = torch.testing.assert_close
SCHEDULE = cosine_schedule(1000)
GRID = torch.linspace(-9, 9, 6001, dtype=torch.float64)
MEANS = torch.tensor([[-1.3], [0.1], [1.2]], dtype=torch.float64)
WEIGHTS = torch.tensor([0.5, 0.2, 0.3], dtype=torch.float64)


def mixture(scale: float = 1.0, shift: float = 0.0, std: float = 0.2) -> GaussianMixture:
    return GaussianMixture.isotropic(scale * MEANS + shift, scale * std, WEIGHTS)


def kept(t: int) -> float:
    return float(SCHEDULE.alpha_bar[t])


# ---- the scale of a latent ----


@pytest.mark.equation("eq-latent-snr")
@pytest.mark.parametrize("c", [0.2, 1.0, 5.5])
@pytest.mark.parametrize("t", [100, 500, 900])
def test_unscaled_latents_are_scaled_ones_under_another_schedule(c, t):
    """The noise that the exact denoiser sees in z_t is what it sees in the divided z_t, at ᾱ'."""
    z_t = c * math.sqrt(kept(t)) * mixture().sample(50, torch.Generator().manual_seed(1)) + math.sqrt(
        1 - kept(t)
    ) * normal(50, 1)
    total = c**2 * kept(t) + 1 - kept(t)
    other = c**2 * kept(t) / total
    close(
        mixture(c).noise(z_t, kept(t)), mixture().noise(z_t / math.sqrt(total), other), rtol=1e-6, atol=1e-8
    )
    assert other / (1 - other) == pytest.approx(c**2 * kept(t) / (1 - kept(t)))


@pytest.mark.equation("eq-latent-snr")
def test_the_scaled_latents_of_the_library_have_the_ratio_of_the_schedule():
    """Signal and noise variance are measured on what `LatentSpace` hands out."""
    torch.manual_seed(0)
    images = torch.randn(400, 1, 8, 8)
    space = LatentSpace(Autoencoder(width=8), images)
    raw, scaled = space.autoencoder.encode(images)[0], space.encode(images)
    ratio = kept(400) / (1 - kept(400))
    assert float(scaled.var()) * ratio == pytest.approx(ratio, rel=1e-4)
    assert float(raw.var()) * ratio == pytest.approx(float(space.scale) ** 2 * ratio, rel=1e-4)


# ---- words ----


@pytest.mark.equation("eq-slant-shear")
@pytest.mark.parametrize("by", [-1, 1, 2])
def test_shearing_by_whole_pixels_adds_to_the_slant(by):
    """Rows are rolled, so that no pixel is invented; the image has room at both sides."""
    image = torch.full((1, 1, 6, 40), -1.0)
    image[..., 15:25] = torch.rand(1, 1, 6, 10, generator=torch.Generator().manual_seed(0)) * 2 - 1
    rows = [image[0, 0, r].roll(-by * r) for r in range(6)]  # a row further down moves to the left
    close(slant(torch.stack(rows)[None, None]), slant(image) + by, rtol=1e-4, atol=1e-4)


@pytest.mark.equation("eq-attention-scale")
@pytest.mark.parametrize("d", [1, 3, 5])
def test_a_score_of_independent_entries_has_mean_0_and_variance_d(d):
    """Over all signs of q and k, each as likely: entries of mean 0 and variance 1."""
    signs = torch.tensor(list(itertools.product([-1.0, 1.0], repeat=d)))
    scores = signs @ signs.T
    assert float(scores.mean()) == 0
    assert float(scores.square().mean()) == d


def attend(pixels: torch.Tensor, words: torch.Tensor, maps: list[torch.Tensor]) -> torch.Tensor:
    """def-cross-attention, pixel by pixel and word by word."""
    out = []
    for x in pixels:
        q = maps[0] @ x
        scores = [float(q @ (maps[1] @ c)) / math.sqrt(len(q)) for c in words]
        total = sum(math.exp(s) for s in scores)
        out.append(sum(math.exp(s) / total * (maps[2] @ c) for s, c in zip(scores, words, strict=True)))
    return torch.stack(out)


@pytest.mark.equation("eq-cross-attention-permutation")
def test_attention_follows_the_pixels_and_forgets_the_order_of_the_words():
    pixels, words = normal(7, 4), normal(5, 3, seed=1)
    maps = [normal(6, 4, seed=2), normal(6, 3, seed=3), normal(2, 3, seed=4)]
    sigma, pi = torch.randperm(7), torch.randperm(5)
    plain = attend(pixels, words, maps)
    close(attend(pixels[sigma], words[pi], maps), plain[sigma])
    assert not torch.allclose(plain[sigma], plain)


def cross(heads: int = 4) -> Attention:
    torch.manual_seed(0)
    layer = Attention(32, head_dim=32 // heads, context_dim=16)
    nn.init.normal_(layer.out.weight, std=0.3)
    return layer.eval()


@pytest.mark.equation("eq-cross-attention-permutation")
@torch.no_grad()
def test_the_layer_of_the_unet_does_the_same():
    layer, x, words = cross(), torch.randn(2, 32, 3, 3), torch.randn(2, 5, 16)
    order = torch.randperm(9)
    shuffled = x.flatten(2)[..., order].view_as(x)
    out = layer(shuffled, words[:, torch.randperm(5)])
    close(out, layer(x, words).flatten(2)[..., order].view_as(x), atol=1e-5, rtol=1e-4)


@torch.no_grad()
def test_one_head_of_the_layer_is_the_definition():
    layer, x, words = cross(heads=1), torch.randn(1, 32, 2, 2), torch.randn(1, 5, 16)
    nn.init.zeros_(layer.query.bias)
    nn.init.zeros_(layer.key_value.bias)
    key, value = layer.key_value.weight.chunk(2)
    pixels = layer.norm(x)[0].flatten(1).T
    mixed = attend(pixels, words[0], [layer.query.weight.flatten(1), key, value])
    close(layer(x, words) - x, layer.out(mixed.T.reshape(1, 32, 2, 2)), atol=1e-5, rtol=1e-4)


@torch.no_grad()
def test_the_layer_is_the_attention_of_diffusers_with_the_same_weights():
    from diffusers.models.attention_processor import Attention as Theirs

    layer = cross()
    theirs = Theirs(32, cross_attention_dim=16, heads=4, dim_head=8, bias=True).eval()
    key, value = layer.key_value.weight.chunk(2)
    biases = layer.query.bias, *layer.key_value.bias.chunk(2), layer.out.bias
    weights = layer.query.weight.flatten(1), key, value, layer.out.weight.flatten(1)
    parts = theirs.to_q, theirs.to_k, theirs.to_v, theirs.to_out[0]
    for part, weight, bias in zip(parts, weights, biases, strict=True):
        part.weight.copy_(weight)
        part.bias.copy_(bias)
    x, words = torch.randn(2, 32, 4, 4), torch.randn(2, 5, 16)
    added = theirs(layer.norm(x).flatten(2).transpose(1, 2), words).transpose(1, 2).reshape(x.shape)
    close(layer(x, words) - x, added, atol=1e-5, rtol=1e-4)


def test_the_scaling_factor_of_diffusers_is_named_a_deviation_and_multiplies():
    """What the chapter says of its documentation, read from the installed version."""
    from diffusers import AutoencoderKL

    assert AutoencoderKL(norm_num_groups=8, block_out_channels=(8,)).config.scaling_factor == 0.18215
    words = " ".join((AutoencoderKL.__doc__ or "").split())
    assert "The component-wise standard deviation of the trained latent space" in words
    assert "`z = z * scaling_factor` before being passed to the diffusion model" in words


# ---- cascades ----

WRONG = mixture(0.9, 0.3, std=0.3)  # what a first stage that is wrong draws


def noisy(law: GaussianMixture, s: int) -> torch.Tensor:
    """log density of the noised small image on the grid."""
    return law.diffused(kept(s)).log_prob_1d(GRID)


def large_given(s: int) -> torch.Tensor:
    """p(x | l_s) on a grid of x (rows) and l_s (columns), where x is l and a sign that depends on it."""
    x = GRID[::20]
    prior = mixture().log_prob_1d(x).exp()
    likelihood = (-((GRID - math.sqrt(kept(s)) * x[:, None]) ** 2) / (2 * (1 - kept(s)))).exp()
    joint = prior[:, None] * likelihood
    return joint / joint.sum(0).clamp(min=1e-300)


def push(law: GaussianMixture, s: int) -> torch.Tensor:
    """∫ p̂_s(l_s) p(x | l_s) dl_s as probabilities of the coarse grid of x."""
    weights = noisy(law, s).exp()
    return large_given(s) @ (weights / weights.sum())


@pytest.mark.equation("eq-cascade-marginal")
@pytest.mark.parametrize("s", [50, 300, 700, 1000])
def test_a_right_first_stage_makes_a_right_cascade_at_every_level(s):
    exact = mixture().log_prob_1d(GRID[::20]).exp()
    close(push(mixture(), s), exact / exact.sum(), atol=1e-6, rtol=1e-4)


@pytest.mark.equation("eq-cascade-bound")
def test_the_cascade_is_wrong_by_no_more_than_what_it_is_given():
    exact = mixture().log_prob_1d(GRID[::20]).exp()
    exact = exact / exact.sum()
    given, made = [], []
    for s in (50, 200, 400, 700):
        given.append(float(kl(lambda x, s=s: mixture().diffused(kept(s)).log_prob_1d(x),
                              lambda x, s=s: WRONG.diffused(kept(s)).log_prob_1d(x), GRID)))  # fmt: skip
        found = push(WRONG, s)
        rows = exact > 1e-12
        made.append(float((exact[rows] * (exact[rows] / found[rows]).log()).sum()))
    assert all(m <= g + 1e-6 for m, g in zip(made, given, strict=True))
    assert made == sorted(made, reverse=True)
    assert given == sorted(given, reverse=True)
    assert made[0] > 10 * made[-1] > 0


def diffused_kl(p: GaussianMixture, q: GaussianMixture, s: int) -> float:
    return float(kl(p.diffused(kept(s)).log_prob_1d, q.diffused(kept(s)).log_prob_1d, GRID))


@pytest.mark.equation("eq-cascade-distance")
@pytest.mark.parametrize("s", [200, 500, 800])
def test_noise_turns_a_distance_into_a_bound_on_the_divergence(s):
    """W2 by quantiles of large sorted samples; and nearly equal for two narrow Gaussians."""
    ratio = kept(s) / (1 - kept(s))
    mine, theirs = (law.sample(200_000, torch.Generator().manual_seed(2)).flatten().sort().values
                    for law in (mixture(), WRONG))  # fmt: skip
    w2 = float((mine - theirs).square().mean())
    assert 0 < diffused_kl(mixture(), WRONG, s) <= ratio * w2 / 2
    narrow = [GaussianMixture.isotropic(torch.tensor([[m]]).double(), 1e-3) for m in (0.0, 0.5)]
    assert diffused_kl(*narrow, s) == pytest.approx(ratio * 0.25 / 2, rel=1e-2)


@pytest.mark.equation("eq-cascade-departure")
@pytest.mark.parametrize("s", [100, 400, 900])
def test_what_noise_hides_departs_twice(s):
    """Small image, noised, and a perfect second draw given the noised one, against the exact mean."""
    generator, law = torch.Generator().manual_seed(3), mixture()
    small = law.sample(100_000, generator)
    noised = math.sqrt(kept(s)) * small + math.sqrt(1 - kept(s)) * normal(100_000, 1, seed=4)
    posterior = GRID[::6]
    columns = noised[:4000]
    joint = law.log_prob_1d(posterior) - (columns - math.sqrt(kept(s)) * posterior) ** 2 / (2 * (1 - kept(s)))
    drawn = posterior[joint.softmax(1).multinomial(1, generator=generator)]
    departure = float((drawn - small[:4000]).square().mean())
    hidden = float((small - law.denoise(noised, kept(s))).square().mean())
    assert departure == pytest.approx(2 * hidden, rel=0.1)


# ---- holes ----


def test_repeated_steps_bring_the_hidden_coordinate_nearer_to_its_exact_law():
    """The Gaussian pair of the chapter: the hidden mean is 1.425 and its standard deviation 0.31."""
    covariance = torch.tensor([[[1.0, 0.95], [0.95, 1.0]]], dtype=torch.float64)
    pair = GaussianMixture(torch.ones(1).double(), torch.zeros(1, 2).double(), covariance)
    known, means = torch.tensor([[1.5, 0.0]], dtype=torch.float64).expand(4000, 2), []
    for repeats in (1, 5):
        x = inpaint(
            exact_denoiser(pair, SCHEDULE), SCHEDULE, normal(4000, 2), spaced_times(1000, 20), known=known,
            mask=torch.tensor([1.0, 0.0]), repeats=repeats, generator=torch.Generator().manual_seed(1),
        )  # fmt: skip
        means.append(float(x[:, 1].mean()))
    assert means[0] < 1.3 < means[1] < 1.5
