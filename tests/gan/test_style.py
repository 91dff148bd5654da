"""The parts of a style-based generator, against convolutions image by image, Jacobians and plain layers."""

import math

import pytest
import torch
from torch import nn
from torch.nn.functional import conv2d, interpolate

from gdmcourse.gan.adain import adaptive_instance_norm
from gdmcourse.gan.equalised import EqualisedLinear, activate
from gdmcourse.gan.mapping import Mapping, truncated
from gdmcourse.gan.modulated import ModulatedConv2d, modulated_convolution
from gdmcourse.gan.style import StyleGenerator, mixed_styles

close = torch.testing.assert_close


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def normal(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(shape, generator=rng(seed), dtype=torch.float64)


# Adaptive instance normalisation


@pytest.mark.equation("eq-style-adain")
def test_adain_sets_the_statistics_and_forgets_the_old_ones():
    x, mean, std = normal(3, 4, 6, 5), normal(3, 4, seed=1), normal(3, 4, seed=2).abs()
    y = adaptive_instance_norm(x, mean, std)
    close(y.flatten(2).mean(2), mean)
    close(y.flatten(2).std(2, correction=0), std)
    stretched = x * torch.tensor([0.1, 1.0, 7.0, 40.0])[:, None, None] + normal(4, 1, 1, seed=3)
    assert (stretched.flatten(2).std(2)[:, 3] > 100 * stretched.flatten(2).std(2)[:, 0]).all()
    close(adaptive_instance_norm(stretched, mean, std), y, atol=1e-6, rtol=1e-6)


@pytest.mark.parametrize(("means", "factors"), [((4,), (3, 4)), ((3, 1), (3, 4)), ((3, 4), (1, 4))])
def test_a_channel_that_is_told_nothing_of_its_own_is_named(means, factors, unchecked):
    with pytest.raises(ValueError, match=r"give \(3, 4\) of them, not \("):
        adaptive_instance_norm(normal(3, 4, 2, 2), normal(*means), normal(*factors))


@pytest.mark.equation("eq-style-droplet")
@pytest.mark.parametrize("spike", [0.0, 3.0, -50.0])
@pytest.mark.parametrize("n", [16, 64])
def test_one_pixel_decides_how_large_the_others_come_out(n, spike):
    rest = normal(n - 1)
    rest = 1.7 * (rest - rest.mean()) / rest.std(correction=0)
    x = torch.cat([rest, torch.tensor([spike]).double()]).view(1, 1, 4, -1)
    one, zero = torch.ones(1, 1).double(), torch.zeros(1, 1).double()
    out = adaptive_instance_norm(x, zero, 2.5 * one).flatten()[:-1]
    claimed = 2.5 * math.sqrt(n / (n - 1)) / math.sqrt(1 + spike**2 / (n * 1.7**2))
    assert out.std(correction=0).item() == pytest.approx(claimed, rel=1e-6)


# Modulated convolution


def test_it_is_a_convolution_of_each_image_with_weights_of_its_own():
    x, weight, style = normal(4, 3, 7, 6), normal(5, 3, 3, 3, seed=1), normal(4, 3, seed=2)
    for demodulate in (True, False):
        images = []
        for image, s in zip(x, style, strict=True):
            own = weight * s[None, :, None, None]
            if demodulate:
                own = own / (own.square().sum((1, 2, 3), keepdim=True) + 1e-3).sqrt()
            images.append(conv2d(image[None], own, padding=1))
        found = modulated_convolution(x, weight, style, demodulate=demodulate, epsilon=1e-3)
        close(found, torch.cat(images))


@pytest.mark.equation("eq-style-demodulation")
@pytest.mark.parametrize("epsilon", [1e-8, 0.5])
def test_the_output_of_independent_inputs_has_unit_variance(epsilon):
    """Exactly: the map is linear, and its Jacobian's rows have the variances as their squares' sums."""
    weight, style = normal(4, 3, 3, 3), 5 * normal(1, 3, seed=2)
    flat = torch.autograd.functional.jacobian(
        lambda x: modulated_convolution(x[None], weight, style, epsilon=epsilon)[0],
        torch.zeros(3, 5, 5).double(),
    )
    variance = flat.square().sum((3, 4, 5))[:, 1:-1, 1:-1]  # away from the border, where inputs are missing
    energy = (weight * style[0, :, None, None]).square().sum((1, 2, 3))
    close(variance, (energy / (energy + epsilon))[:, None, None].expand_as(variance))
    if epsilon < 1e-6:
        close(variance, torch.ones_like(variance), atol=1e-6, rtol=0)


@pytest.mark.equation("eq-style-demodulation")
def test_no_law_of_the_inputs_is_needed_beyond_independence():
    """Coins in one channel, a skewed law in the other; 40,000 draws show it to a percent."""
    coins = torch.randint(0, 2, (40_000, 1, 3, 3), generator=rng()).double() * 2 - 1
    skewed = torch.empty(40_000, 1, 3, 3).double().exponential_(generator=rng(1)) - 1
    x = torch.cat([coins, skewed], 1)
    style = torch.tensor([[3.0, 0.2]]).double().expand(40_000, 2)
    out = modulated_convolution(x, normal(2, 2, 3, 3), style)[:, :, 1, 1]
    close(out.var(0), torch.ones(2).double(), atol=0.04, rtol=0)


def test_copies_of_one_channel_are_not_independent():
    """What demodulation can't know: here the variance is (Σ s w)² / Σ (s w)²."""
    weight, style = torch.ones(1, 4, 1, 1).double(), torch.ones(1, 4).double()
    x = normal(1, 1, 50, 50).expand(1, 4, 50, 50)
    close(
        modulated_convolution(x, weight, style).var() / x.var(), torch.tensor(4.0).double(), rtol=0.01, atol=0
    )


def test_an_even_kernel_is_refused():
    with pytest.raises(ValueError, match="odd size"):
        modulated_convolution(normal(1, 2, 4, 4), normal(1, 2, 2, 2), normal(1, 2))


def test_the_layer_keeps_the_size_whatever_the_latent():
    torch.manual_seed(0)
    layer = ModulatedConv2d(32, 64, style_dim=8).double()
    x = normal(16, 32, 12, 12)
    for size in (0.0, 1.0, 100.0):
        out = layer(x, size * normal(16, 8, seed=1))[:, :, 1:-1, 1:-1]
        assert out.std().item() == pytest.approx(1, abs=0.03)
        assert activate(out).square().mean().item() == pytest.approx(1.04, abs=0.06)


def test_without_demodulation_the_constant_keeps_the_size():
    """At a latent of 0, whose style is 1."""
    torch.manual_seed(0)
    layer = ModulatedConv2d(32, 64, style_dim=8, demodulate=False).double()
    out = layer(normal(16, 32, 12, 12), torch.zeros(16, 8).double())[:, :, 1:-1, 1:-1]
    assert out.std().item() == pytest.approx(1, abs=0.05)


# Equalised learning rate


@pytest.mark.equation("eq-style-equalised")
@pytest.mark.parametrize(("optimizer", "power"), [("Adam", 1), ("SGD", 2)])
def test_a_constant_at_run_time_is_a_learning_rate_of_its_own(optimizer, power):
    torch.manual_seed(0)
    for inputs in (4, 400):
        layer, c, lr = EqualisedLinear(inputs, 3).double(), 1 / math.sqrt(inputs), 0.03
        plain = nn.Linear(inputs, 3).double()
        plain.weight.data, plain.bias.data = c * layer.weight.detach(), torch.zeros(3).double()
        more = {"eps": 0.0} if optimizer == "Adam" else {}
        steppers = [
            getattr(torch.optim, optimizer)([layer.weight], lr=lr, **more),
            getattr(torch.optim, optimizer)([plain.weight], lr=c**power * lr, **more),
        ]
        start = plain.weight.detach().clone()
        for step in range(5):
            x = normal(8, inputs, seed=step)
            for network, stepper in zip((layer, plain), steppers, strict=True):
                stepper.zero_grad()
                network(x).sin().sum().backward()
                stepper.step()
        close(c * layer.weight, plain.weight)
        if optimizer == "Adam":  # the first step alone is lr in units of c, at both widths
            assert (plain.weight - start).abs().max() > 0.9 * lr * c


# Mapping and truncation


@pytest.mark.equation("eq-style-truncation")
@pytest.mark.parametrize("psi", [0.0, 0.5, 1.0, 1.3])
def test_truncation_moves_the_mean_and_scales_the_covariance(psi):
    w, middle = normal(500, 3) @ normal(3, 3, seed=1) + 2, normal(3, seed=2)
    pulled = truncated(w, middle, psi)
    close(pulled.mean(0), middle + psi * (w.mean(0) - middle))
    close(torch.cov(pulled.T), psi**2 * torch.cov(w.T))
    close(truncated(w, w.mean(0), psi).mean(0), w.mean(0))


def test_the_middle_follows_the_mean_in_training_only():
    torch.manual_seed(0)
    mapping = Mapping(6, 5, decay=0.9)
    z = [torch.randn(50, 6, generator=rng(k)) for k in range(3)]
    expected = torch.zeros(5)
    for part in z:
        expected = 0.9 * expected + 0.1 * mapping(part).mean(0).detach()
    close(mapping.middle, expected)
    mapping.eval()
    mapping(z[0])
    close(mapping.middle, expected)
    assert "middle" in mapping.state_dict()
    close(mapping(3 * z[0]), mapping(z[0]))  # the length of the noise means nothing
    seen = []
    mapping.layers[0].register_forward_pre_hook(lambda _layer, inputs: seen.append(inputs[0]))
    mapping(z[0])
    close(seen[0].norm(dim=1), torch.full((50,), math.sqrt(6)))


# The generator


def test_from_the_crossover_on_layers_are_styled_by_the_other_latent():
    w, other = normal(3, 2), normal(3, 2, seed=1)
    mixed = mixed_styles(w, other, torch.tensor([0, 2, 4]), 4)
    close(mixed[0], other[0].expand(4, 2))
    close(mixed[1], torch.stack([w[1], w[1], other[1], other[1]]))
    close(mixed[2], w[2].expand(4, 2))


@pytest.mark.parametrize(("others", "crossovers"), [(1, 3), (3, 1)])
def test_one_latent_or_crossover_is_not_spread_over_all_images(others, crossovers, unchecked):
    with pytest.raises(ValueError, match=f"each of 3 images, not {others} and \\({crossovers},\\)"):
        mixed_styles(normal(3, 2), normal(others, 2), torch.ones(crossovers, dtype=torch.long), 4)


@pytest.mark.parametrize("shape", [(1, 8, 8), (1, 28, 28), (3, 32, 32)])
def test_images_have_the_shape_of_the_data_and_the_image_is_the_sum_of_its_heads(shape):
    torch.manual_seed(0)
    generator = StyleGenerator(shape, noise_dim=4, style_dim=6, width=2).eval()
    z = torch.randn(2, 4, generator=rng())
    image = generator(z)
    assert image.shape == (2, *shape)
    heads = generator.synthesis.heads
    weights = [head.weight.detach().clone() for head in heads]
    small = []
    heads[0].register_forward_hook(lambda _module, _inputs, output: small.append(output))
    parts = []
    with torch.no_grad():
        for kept in range(len(heads)):
            for at, head in enumerate(heads):
                head.weight.copy_(weights[at] if at == kept else torch.zeros_like(weights[at]))
            parts.append(generator(z))
    assert all(part.abs().max() > 0.01 for part in parts)
    close(sum(parts), image)
    coarse = small[0]  # what the coarsest head gave where no other gave anything
    for _ in heads[1:]:
        coarse = interpolate(coarse, scale_factor=2.0, mode="bilinear", align_corners=False)
    close(parts[0], coarse)


def test_each_layer_is_told_its_own_latent_and_a_head_shares_that_of_the_next_convolution():
    synthesis, told = StyleGenerator((1, 8, 8), 4, 6, 2).eval().synthesis, {}
    for name in ("first", "second", "heads"):
        for level, layer in enumerate(getattr(synthesis, name)):
            layer.register_forward_pre_hook(
                lambda _layer, inputs, key=f"{name} {level}": told.update({key: inputs[1].unique().tolist()})
            )
    synthesis(torch.arange(6.0)[None, :, None].expand(1, 6, 6))
    assert [told[f"second {level}"] for level in range(3)] == [[0], [2], [4]]
    assert [told[f"heads {level}"] for level in range(3)] == [[1], [3], [5]]
    assert [told[f"first {level}"] for level in range(2)] == [[1], [3]]


def test_another_latent_and_its_crossover_go_together():
    generator = StyleGenerator((1, 8, 8), 4, 6, 2).eval()
    z = torch.randn(2, 4, generator=rng())
    with pytest.raises(ValueError, match="both other and crossover"):
        generator(z, other=z)
    with pytest.raises(ValueError, match="both other and crossover"):
        generator(z, crossover=torch.tensor([1, 2]))


def test_noise_changes_the_image_where_its_strength_says_so():
    torch.manual_seed(0)
    generator = StyleGenerator((1, 8, 8), 4, 6, 2).eval()
    z = torch.randn(2, 4, generator=rng())
    maps = generator.synthesis.noise_maps(2, rng())
    assert [tuple(part.shape) for part in maps] == [(2, 1, s, s) for s in (2, 4, 4, 8, 8)]
    close(generator(z, maps), generator(z))
    generator.synthesis.strength.data[3] = 0.5
    assert not torch.allclose(generator(z, maps), generator(z))
    layer, x, w = ModulatedConv2d(3, 2, style_dim=4), normal(2, 3, 5, 5).float(), normal(2, 4).float()
    noise = normal(2, 1, 5, 5, seed=1).float()
    close(layer(x, w, noise) - layer(x, w), noise.expand(2, 2, 5, 5), atol=1e-5, rtol=1e-5)


def test_at_psi_zero_all_images_are_one():
    torch.manual_seed(0)
    generator = StyleGenerator((1, 8, 8), 4, 6, 2)
    z = torch.randn(20, 4, generator=rng())
    generator(z)
    generator.eval()
    images = generator(z, psi=0.0)
    close(images, images[:1].expand_as(images))
    close(generator(z, psi=1.0), generator(z))
