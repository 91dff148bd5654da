"""Enlarging: the shuffle against torch's, the loss of features against its two parts."""

import pytest
import torch

from gdmcourse.gan.superresolution import Enlarger, perceptual_loss, sub_pixel_shuffle

close = torch.testing.assert_close


@pytest.mark.parametrize(("factor", "channels"), [(2, 1), (3, 2), (1, 3)])
def test_the_shuffle_is_torchs(factor, channels):
    x = torch.randn(2, channels * factor**2, 3, 5, generator=torch.Generator().manual_seed(0))
    assert torch.equal(sub_pixel_shuffle(x, factor), torch.nn.functional.pixel_shuffle(x, factor))


def test_channels_that_make_no_squares_are_refused():
    with pytest.raises(ValueError, match="multiple of 9 channels, not 8"):
        sub_pixel_shuffle(torch.zeros(1, 8, 2, 2), 3)


def test_the_enlarger_doubles_the_side_and_uses_its_noise():
    torch.manual_seed(0)
    model = Enlarger(3, width=8, blocks=1, noise_dim=2)
    x, z = torch.randn(2, 3, 4, 6), torch.randn(2, 2)
    assert model(x, z).shape == (2, 3, 8, 12)
    assert (model(x, z) - model(x, z + 1)).abs().max() > 1e-4
    with pytest.raises(ValueError, match="pass noise exactly if"):
        model(x)
    with pytest.raises(ValueError, match="pass noise exactly if"):
        Enlarger(3, width=8)(x, z)


@pytest.mark.equation("eq-tr-perceptual")
def test_the_mean_loss_of_features_is_their_spread_and_the_distance_to_their_mean():
    rng = torch.Generator().manual_seed(1)
    weight = torch.randn(12, 7, generator=rng, dtype=torch.float64)

    def features(x):
        return torch.tanh(x.flatten(1) @ weight)

    answers = torch.randn(40, 3, 2, 2, generator=rng, dtype=torch.float64)
    one = torch.randn(1, 3, 2, 2, generator=rng, dtype=torch.float64)
    loss = perceptual_loss(features, one.expand_as(answers), answers) * 7  # the sum over features
    seen = features(answers)
    spread = torch.cov(seen.T, correction=0).trace()
    close(loss, spread + (seen.mean(0) - features(one)[0]).square().sum())


@pytest.mark.equation("eq-tr-perceptual")
def test_features_that_forgive_a_shift_average_nothing():
    place = torch.arange(16, dtype=torch.float64)
    waves = torch.cos(2 * torch.pi * 3 * (place - place[:, None]) / 16)[:, None, None]

    def lengths(x):
        return torch.fft.rfft(x.flatten(1)).abs()

    mean = waves.mean(0, keepdim=True).expand_as(waves)
    assert mean.abs().max() < 1e-12
    for wave in waves:
        assert perceptual_loss(lengths, wave[None].expand_as(waves), waves) < 1e-20
    assert perceptual_loss(lengths, mean, waves) > 1
    pixels = [(answer - waves).square().mean() for answer in (waves[:1], mean)]
    assert pixels[1] < pixels[0]  # in pixels the grey image wins


def test_the_gradient_flows_through_what_was_made_alone():
    made, real = (torch.rand(2, 1, 2, 2, requires_grad=True) for _ in range(2))
    perceptual_loss(torch.square, made, real).backward()
    assert made.grad.abs().sum() > 0
    assert real.grad is None
