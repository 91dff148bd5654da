"""The loss of a variational autoencoder and its weights, against sums written out."""

import math

import pytest
import torch
from scipy.stats import norm
from torch.distributions import Normal, kl_divergence

from gdmcourse.likelihood.bounds import importance_weighted_bound
from gdmcourse.likelihood.linear_vae import LinearVAE
from gdmcourse.likelihood.vae import VAE, log_weights, vae_loss
from tests.oracles import gen, normal

close = torch.testing.assert_close


def some_vae(latents: int = 3) -> VAE:
    torch.manual_seed(0)
    return VAE((1, 2, 3), latents=latents, width=8)


def images(n: int = 4) -> torch.Tensor:
    return torch.randint(0, 17, (n, 1, 2, 3), generator=gen(1)).float() / 8 - 1


def test_the_loss_sums_over_pixels_and_latents_and_beta_weighs_the_rate():
    """An average over pixels alone would let the rate dominate; an unused beta would change nothing."""
    vae, x = some_vae(), images()
    mean, log_variance = vae.encode(x)
    z = mean + (log_variance / 2).exp() * torch.randn(4, 3, generator=gen(2))
    pixel_mean, pixel_log_variance = (part.detach().double() for part in vae.decode(z))
    std = (pixel_log_variance / 2).exp()
    upper = torch.where(x > 0.99, math.inf, x.double() + 1 / 16)
    lower = torch.where(x < -0.99, -math.inf, x.double() - 1 / 16)
    mass = norm.cdf(upper, pixel_mean, std) - norm.cdf(lower, pixel_mean, std)
    reconstruction = torch.from_numpy(mass).log().sum() / 4
    rate = kl_divergence(Normal(mean, (log_variance / 2).exp()), Normal(0.0, 1.0)).sum().item() / 4
    for beta in (0.0, 1.0, 6.0):
        loss = vae_loss(levels=17, beta=beta)(vae, (x, x), gen(2)).item()
        assert loss == pytest.approx((beta * rate - reconstruction).item() / 6, rel=1e-4)


def test_weights_of_pixels_between_two_levels_are_refused():
    vae, x = some_vae(), images()
    with pytest.raises(ValueError, match="don't have 17 evenly spaced values from −1 to 1"):
        log_weights(vae, 0.9 * x, 1, levels=17, generator=gen(2))
    with pytest.raises(ValueError, match="at least 2 levels, not 1"):
        log_weights(vae, x, 1, levels=1, generator=gen(2))
    assert log_weights(vae, 0.9 * x, 1, generator=gen(2)).isfinite().all()  # a density asks for no levels


def test_the_loss_of_a_density_is_that_of_torch():
    vae, x = some_vae(), images()
    mean, log_variance = vae.encode(x)
    pixels = vae.decode(mean + (log_variance / 2).exp() * torch.randn(4, 3, generator=gen(2)))
    density = Normal(pixels[0], (pixels[1] / 2).exp()).log_prob(x).sum() / 4
    rate = kl_divergence(Normal(mean, (log_variance / 2).exp()), Normal(0.0, 1.0)).sum() / 4
    close(vae_loss()(vae, x, gen(2)), (rate - density) / 6)


class Linear(VAE):
    """The network's place taken by exact formulas, so that its likelihood is known."""

    def __init__(self, model: LinearVAE) -> None:
        super().__init__((1, 1, len(model.offset)), latents=model.loading.shape[1], width=1)
        self.exact = model

    def encode(self, images):
        mean, _ = self.exact.posterior(images.flatten(1))
        return mean, -self.exact.precision().diagonal().log().expand_as(mean)

    def decode(self, z):
        mean = (z @ self.exact.loading.mT + self.exact.offset).reshape(*z.shape[:-1], *self.shape)
        return mean, torch.full_like(mean, math.log(self.exact.variance))


@pytest.mark.equation("eq-vae-importance")
def test_bounds_of_the_linear_model_rise_and_never_pass_its_likelihood():
    """k = 1 lies below by the gap that is known, and every k by less; the wrong formulas pass the truth."""
    model = LinearVAE(normal(5, 3, seed=1), normal(5, seed=2), 0.6)
    x = normal(40, 5, seed=3)
    exact = model.log_prob(x).mean()
    precision = model.precision()
    gap = 0.5 * (precision.diagonal().log().sum() - torch.logdet(precision))
    found = {}
    for k in (1, 4, 16, 64, 1024):  # draws of its own for each k: groups of the same draws rise in any case
        images = x.repeat(8192 // k, 1)[:, None, None]
        log_w = log_weights(Linear(model), images, k, generator=gen(k))
        found[k] = (exact - importance_weighted_bound(log_w).mean()).item()
    assert found[1] == pytest.approx(gap.item(), abs=0.01)
    assert found[1] > found[4] > found[16] > found[64] > 0.01  # four standard errors, the largest there
    assert abs(found[1024]) < 0.05 * found[1]  # about two standard errors
    on_bounds = (log_w.softmax(0) * log_w).sum(0)
    assert on_bounds.mean() - exact > 0.1


def test_weights_of_no_draws_are_refused():
    with pytest.raises(ValueError, match="at least 1, not 0"):
        log_weights(some_vae(), images(), 0)


def test_a_code_that_is_far_too_wide_or_narrow_is_held():
    vae = some_vae()
    with torch.no_grad():
        vae.encoder[-1].bias.fill_(1e4)
    assert vae.encode(images())[1].max() == 6
    with pytest.raises(ValueError, match="at least 1"):
        VAE((1, 2, 2), latents=0)
