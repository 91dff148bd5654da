"""Losses of flow matching and MeanFlow against rectified-flow-pytorch's: one network on the same inputs.

The peer's RectifiedFlow runs its time from noise to data, so its t is our 1 − t and its velocity is −v; its
MeanFlow counts as we do, and tells the network t and t − r.
"""

import warnings

import pytest
import torch
from torch import nn

from gdmcourse.diffusion.flow import flow_matching_loss
from gdmcourse.diffusion.flow_map import draw_jumps, meanflow_loss
from tests.oracles import gen

with warnings.catch_warnings():  # a package that it imports scripts a function of its own
    warnings.simplefilter("ignore", FutureWarning)
    from rectified_flow_pytorch import MeanFlow, RectifiedFlow

IMAGES = torch.rand(6, 1, 4, 4, generator=gen(5)) * 2 - 1


class Small(nn.Module):
    """Some smooth network of an image and its times."""

    def __init__(self, times: int) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.layers = nn.Sequential(nn.Linear(16 + times, 32), nn.Tanh(), nn.Linear(32, 16))

    def forward(self, x, *times):
        told = torch.cat([x.flatten(1), *[t[:, None] for t in times]], dim=1)
        return self.layers(told).view_as(x)


def gradients(loss, network):
    network.zero_grad()
    loss.backward()
    return [p.grad.clone() for p in network.parameters()]


def compare(ours, theirs, network):
    torch.testing.assert_close(ours, theirs, atol=1e-6, rtol=1e-5)
    torch.testing.assert_close(gradients(ours, network), gradients(theirs, network), atol=1e-6, rtol=1e-4)


def test_flow_matching_is_that_of_rectified_flow():
    network = Small(1)
    t = torch.rand(6, generator=(rng := gen(1)))
    noise = torch.randn(IMAGES.shape, generator=rng)

    class Turned(nn.Module):
        def __init__(self):
            super().__init__()
            self.network = network

        def forward(self, x, times):
            return -self.network(x, 1 - times)

    theirs = RectifiedFlow(Turned(), data_normalize_fn=None)(IMAGES, noise=noise, times=1 - t)
    compare(flow_matching_loss()(lambda x, t, y: network(x, t), IMAGES, gen(1)), theirs, network)


@pytest.mark.equation("eq-meanflow-target")
@pytest.mark.parametrize("equal", [0.0, 0.25, 0.75])
def test_meanflow_is_theirs_with_the_weight_of_the_full_power(equal):
    network = Small(2)
    t, r = draw_jumps(6, rng := gen(2), equal=equal)
    noise = torch.randn(IMAGES.shape, generator=rng)
    peer = MeanFlow(network, prob_default_flow_obj=0.0, adaptive_loss_weight_p=1.0, eps=1e-3)
    given = iter((t, r))
    peer.sample_times = lambda batch: next(given)  # it sorts the two
    ours = meanflow_loss(lambda x, t, r, y: network(x, t, t - r), IMAGES, gen(2), equal=equal)
    compare(ours, peer(IMAGES, noise=noise), network)
