"""The autoencoder of latent diffusion, and the scale of its latents."""

import pytest
import torch
from sklearn.datasets import load_digits

from gdmcourse.diffusion.latent import Autoencoder, LatentSpace, autoencoder_loss

IMAGES = torch.from_numpy(load_digits().images).float().div(8).sub(1)[:, None]


@pytest.fixture(scope="module")
def trained() -> Autoencoder:
    torch.manual_seed(0)
    model, loss, generator = Autoencoder(width=16), autoencoder_loss(), torch.Generator().manual_seed(0)
    optimizer = torch.optim.Adam(model.parameters(), 4e-3)
    for _ in range(150):
        batch = IMAGES[torch.randint(0, 1400, (64,), generator=generator)]
        optimizer.zero_grad()
        loss(model, batch, generator).backward()
        optimizer.step()
    return model


@pytest.mark.parametrize(("size", "halvings"), [(8, 1), (28, 2), (32, 2)])
def test_a_latent_is_smaller_by_its_halvings_and_comes_back(size, halvings):
    model = Autoencoder(3, latent_channels=4, width=8, halvings=halvings)
    mean, log_variance = model.encode(torch.randn(2, 3, size, size))
    assert mean.shape == log_variance.shape == (2, 4, size >> halvings, size >> halvings)
    assert model.decode(mean).shape == (2, 3, size, size)


def test_held_out_digits_come_back_through_half_the_numbers(trained):
    with torch.no_grad():
        test = IMAGES[1500:]
        error = (trained.decode(trained.encode(test)[0]) - test).square().mean()
        mean_image = (IMAGES[:1400].mean(0) - test).square().mean()
    assert trained.encode(test)[0][0].numel() == 32
    assert error < mean_image / 5


def test_scaled_latents_have_mean_zero_and_variance_one_and_decode_alike(trained):
    space = LatentSpace(trained, IMAGES[:1400])
    latents = space.encode(IMAGES[:1400])
    assert float(latents.mean()) == pytest.approx(0, abs=1e-5)
    assert float(latents.std()) == pytest.approx(1, abs=1e-5)
    torch.testing.assert_close(
        space.decode(latents[:9]), trained.decode(trained.encode(IMAGES[:9])[0]), atol=1e-5, rtol=1e-4
    )
    assert not latents.requires_grad


def test_the_loss_is_the_error_and_the_weighted_divergence(trained):
    """With weight w the loss grows linearly in w, by the closed form of KL(N(m, s²) ‖ N(0, 1))."""
    mean, log_variance = trained.encode(IMAGES[:20])
    q = torch.distributions.Normal(mean, (log_variance / 2).exp())
    kl = torch.distributions.kl_divergence(q, torch.distributions.Normal(0.0, 1.0)).mean()
    with torch.no_grad():
        none, some = (
            autoencoder_loss(w)(trained, (IMAGES[:20], torch.zeros(20)), torch.Generator().manual_seed(1))
            for w in (0.0, 0.3)
        )
    torch.testing.assert_close(some - none, 0.3 * kl.detach(), rtol=1e-3, atol=1e-5)
