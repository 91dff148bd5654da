"""Claims of the chapter on latents and text whose formulas stand on the page and not in the library."""

import itertools
import math

import pytest
import torch
from torch import nn

from gdmcourse.diffusion import cosine_schedule, exact_denoiser, q_sample
from gdmcourse.diffusion.latent import Autoencoder, LatentSpace
from gdmcourse.diffusion.samplers import inpaint, spaced_times
from gdmcourse.diffusion.text import slant
from gdmcourse.nn.attention import Attention
from gdmcourse.probability import GaussianMixture, gaussian_kl, kl
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
@pytest.mark.parametrize("size", [0.3, 4.0])
def test_latents_as_they_are_have_c_squared_times_the_ratio_of_the_schedule(size):
    """The variances of both terms of z_t are measured, of an encoder whose latents are `size` as large."""
    torch.manual_seed(0)
    coder, images = Autoencoder(width=8), torch.randn(400, 1, 8, 8)
    with torch.no_grad():
        for parameter in coder.encoder[-1].parameters():
            parameter.mul_(size)
        plain = coder.encode(images)[0]
    space, time = LatentSpace(coder, images), torch.full((400,), 400)
    nothing, noise = torch.zeros(400, *space.shape), normal(400, *space.shape, seed=1).float()

    def ratio(latents: torch.Tensor) -> float:
        signal, noised = (q_sample(SCHEDULE, z, time, e) for z, e in ((latents, nothing), (nothing, noise)))
        return float(signal.var() / noised.var())

    snr = math.exp(float(SCHEDULE.log_snr(400)))
    assert ratio(space.encode(images)) == pytest.approx(snr, rel=0.03)
    assert ratio(plain) == pytest.approx(float(space.scale) ** 2 * snr, rel=0.03)


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

# Large images of two pixels and small ones of one, the mean of the two.
AVERAGE = torch.tensor([0.5, 0.5], dtype=torch.float64)
LARGE = GaussianMixture.isotropic(
    torch.tensor([[-1.5, 0.3], [0.4, -1.1], [1.2, 1.4]], dtype=torch.float64), 0.5, WEIGHTS
)
SMALL = GaussianMixture.isotropic((LARGE.means @ AVERAGE)[:, None], 0.5 * 0.5**0.5, WEIGHTS)
WRONG = mixture(0.9, 0.3, std=0.6)  # what a first stage that is wrong draws
PIXEL = torch.linspace(-4, 4, 41, dtype=torch.float64)
PIXELS = torch.cartesian_prod(PIXEL, PIXEL)
NOISY = torch.linspace(-6, 6, 241, dtype=torch.float64)


def large_given(noised: torch.Tensor, s: int) -> torch.Tensor:
    """p(x | l_s): probabilities of the grid of x (rows) for each l_s (columns)."""
    away = noised - math.sqrt(kept(s)) * (PIXELS @ AVERAGE)[:, None]
    return (LARGE.log_prob(PIXELS)[:, None] - away**2 / (2 * (1 - kept(s)))).softmax(0)


def push(law: GaussianMixture, s: int) -> torch.Tensor:
    """∫ p̂_s(l_s) p(x | l_s) dl_s as probabilities of the grid of x."""
    return large_given(NOISY, s) @ law.diffused(kept(s)).log_prob_1d(NOISY).softmax(0)


@pytest.mark.equation("eq-cascade-marginal")
@pytest.mark.parametrize("s", [100, 300, 700, 1000])
def test_a_right_first_stage_makes_a_right_cascade_at_every_level(s):
    close(push(SMALL, s), LARGE.log_prob(PIXELS).softmax(0), atol=1e-7, rtol=1e-4)


def diffused_kl(p: GaussianMixture, q: GaussianMixture, s: int) -> float:
    return float(kl(p.diffused(kept(s)).log_prob_1d, q.diffused(kept(s)).log_prob_1d, GRID))


@pytest.mark.equation("eq-cascade-bound")
def test_the_cascade_is_wrong_by_no_more_than_what_it_is_given():
    """With hardly any noise x gives l_s away, and the bound is nearly reached; then both fall."""
    exact, levels = LARGE.log_prob(PIXELS).softmax(0), (50, 200, 400, 700)
    given = [diffused_kl(SMALL, WRONG, s) for s in levels]
    made = [float((exact * (exact / push(WRONG, s)).log()).sum()) for s in levels]
    assert all(m <= g for m, g in zip(made, given, strict=True))
    assert made[0] > 0.85 * given[0]
    assert made == sorted(made, reverse=True)
    assert given == sorted(given, reverse=True)
    assert made[0] > 10 * made[-1] > 0


@pytest.mark.equation("eq-cascade-distance")
@pytest.mark.parametrize("s", [200, 500, 800])
def test_noise_turns_a_distance_into_a_bound_on_the_divergence(s):
    """W2 by quantiles of large sorted samples; and nearly equal for two narrow Gaussians of two pixels."""
    ratio = kept(s) / (1 - kept(s))
    mine, theirs = (law.sample(200_000, torch.Generator().manual_seed(2)).flatten().sort().values
                    for law in (SMALL, WRONG))  # fmt: skip
    w2 = float((mine - theirs).square().mean())
    assert 0 < diffused_kl(SMALL, WRONG, s) <= ratio * w2 / 2
    here, there = torch.zeros(2).double(), math.sqrt(kept(s)) * torch.tensor([0.3, -0.4]).double()
    noise = (1 - kept(s) + kept(s) * 1e-6) * torch.eye(2, dtype=torch.float64)
    assert float(gaussian_kl(here, noise, there, noise)) == pytest.approx(ratio * 0.25 / 2, rel=1e-2)


@pytest.mark.equation("eq-cascade-departure")
@pytest.mark.parametrize("s", [100, 400, 900])
def test_what_noise_hides_departs_twice(s):
    """Large images, their means noised, and a perfect draw given these, against the exact mean of l."""
    generator = torch.Generator().manual_seed(3)
    small = LARGE.sample(100_000, generator) @ AVERAGE
    noised = math.sqrt(kept(s)) * small + math.sqrt(1 - kept(s)) * normal(100_000, seed=4)
    drawn = PIXELS[large_given(noised[:4000], s).T.multinomial(1, generator=generator)[:, 0]]
    departure = float((drawn @ AVERAGE - small[:4000]).square().mean())
    hidden = float((small - SMALL.denoise(noised[:, None], kept(s))[:, 0]).square().mean())
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
