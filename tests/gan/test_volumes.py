"""Networks of volumes, and the search for a noise that fits."""

import pytest
import torch
from torch import nn

from gdmcourse.gan.filling import fill_by_search
from gdmcourse.gan.volumes import VolumeCritic, VolumeGenerator
from tests.oracles import gen


@pytest.mark.parametrize("shape", [(1, 8, 8, 8), (3, 4, 8, 12), (2, 2, 6, 4)])
def test_shapes_and_one_logit_each(shape):
    torch.manual_seed(0)
    generator, critic = VolumeGenerator(shape, noise_dim=5, width=2), VolumeCritic(shape, width=2)
    made = generator(torch.randn(3, 5))
    assert made.shape == (3, *shape)
    assert made.abs().max() <= 1
    assert critic(made).shape == (3,)
    torch.testing.assert_close(critic(made)[1:2], critic(made[1:2]))


def test_what_can_not_be_is_refused():
    with pytest.raises(ValueError, match="even, not 8×5×8"):
        VolumeGenerator((1, 8, 5, 8))


class Linear(nn.Module):
    """Images that are linear in the noise, so that the best fit is known."""

    def __init__(self):
        super().__init__()
        self.matrix = torch.randn(3, 16, generator=gen(1))

    def forward(self, z):
        return (z @ self.matrix).reshape(-1, 1, 4, 4)


def test_the_search_finds_the_least_squares_answer_and_keeps_what_is_known():
    generator = Linear().eval()
    known = torch.randn(5, 1, 4, 4, generator=gen(2))
    mask = torch.zeros(1, 4, 4)
    mask[:, :2] = 1
    filled = fill_by_search(generator, known, mask, gen(3), noise_dim=3, steps=600, weight=0.0, starts=2)
    assert torch.equal(filled[..., :2, :], known[..., :2, :])
    seen = generator.matrix[:, :8].T
    z = torch.linalg.lstsq(seen, known[:, 0, :2].flatten(1).T).solution.T
    torch.testing.assert_close(filled[:, 0, 2:], generator(z)[:, 0, 2:], rtol=0, atol=2e-3)


def test_the_search_leaves_the_generators_weights_alone():
    generator = nn.Sequential(nn.Linear(3, 4), nn.Unflatten(1, (1, 2, 2))).eval()
    fill_by_search(generator, torch.randn(2, 1, 2, 2), torch.eye(2), gen(), noise_dim=3, steps=2)
    assert all(weights.grad is None for weights in generator.parameters())


def test_the_best_of_the_starts_counts_and_refusals():
    class Steps(nn.Module):
        def forward(self, z):
            return z[:, :1].sign().reshape(-1, 1, 1, 1).expand(-1, 1, 1, 2)  # flat: the start decides

    known = torch.ones(20, 1, 1, 2)
    mask = torch.tensor([1.0, 0.0])
    filled = [
        fill_by_search(Steps().eval(), known, mask, gen(), noise_dim=2, steps=0, starts=starts)
        for starts in (1, 9)
    ]
    one, nine = (images[..., 1].mean() for images in filled)
    assert one < 0.5
    assert nine > 0.9
    with pytest.raises(ValueError, match="call eval"):
        fill_by_search(Steps(), known, mask, gen(), noise_dim=2)
    for wrong, sentence in (
        ({"mask": torch.zeros(2)}, "here none is"),
        ({"mask": torch.full((2,), 0.5)}, "must be 1 where a pixel is known and 0 elsewhere"),
        ({"mask": mask, "starts": 0}, "starts must be at least 1, not 0"),
    ):
        with pytest.raises(ValueError, match=sentence):
            fill_by_search(Steps().eval(), known, rng=gen(), noise_dim=2, **wrong)


def test_what_stands_at_unknown_pixels_does_not_matter():
    generator, known = Linear().eval(), torch.randn(3, 1, 4, 4, generator=gen(2))
    mask = torch.zeros(4, 4)
    mask[:2] = 1
    blank = torch.where(mask.bool(), known, torch.nan)
    filled = [
        fill_by_search(generator, images, mask, gen(3), noise_dim=3, steps=20) for images in (known, blank)
    ]
    assert torch.equal(*filled)
