"""The average against its definition, written out."""

import pytest
import torch
from torch import nn

from gdmcourse.training import EMA


def model() -> nn.Module:
    return nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4))


@pytest.mark.parametrize("decay", [0.0, 0.5, 0.999])
def test_follows_its_definition(decay: float) -> None:
    network = model()
    ema = EMA(network, decay)
    expected = [p.detach().double().clone() for p in network.parameters()]
    for n in range(40):
        with torch.no_grad():
            for p in network.parameters():
                p.add_(torch.randn(p.shape, generator=torch.Generator().manual_seed(n)))
        ema.update(network)
        now = min(decay, (1 + n) / (10 + n))
        expected = [
            now * e + (1 - now) * p.detach().double()
            for e, p in zip(expected, network.parameters(), strict=True)
        ]
    for average, value in zip(ema.model.parameters(), expected, strict=True):
        torch.testing.assert_close(average.double(), value, rtol=1e-5, atol=1e-5)


def test_warms_up() -> None:
    network = nn.Linear(1, 1, bias=False)
    nn.init.zeros_(network.weight)
    ema = EMA(network, 0.9999)
    nn.init.ones_(network.weight)
    ema.update(network)
    assert ema.model.weight.item() == pytest.approx(0.9)  # decay 1/10 at first, not 0.9999


def test_buffers_are_copied_not_averaged() -> None:
    network = model()
    ema = EMA(network, 0.999)
    network.train()
    for _ in range(3):
        network(torch.randn(16, 3) * 5 + 2)
        ema.update(network)
    for average, buffer in zip(ema.model.buffers(), network.buffers(), strict=True):
        assert torch.equal(average, buffer)
    assert ema.model[1].num_batches_tracked == 3


def test_leaves_the_model_alone_and_takes_no_gradients() -> None:
    network = model()
    ema = EMA(network, 0.9)
    before = [p.detach().clone() for p in network.parameters()]
    ema.update(network)
    assert all(torch.equal(a, b) for a, b in zip(before, network.parameters(), strict=True))
    assert not any(p.requires_grad for p in ema.model.parameters())
    assert all(p.requires_grad for p in network.parameters())
    assert not ema.model.training


def test_state_goes_there_and_back() -> None:
    network, other = model(), model()
    ema = EMA(network, 0.99)
    for _ in range(5):
        with torch.no_grad():
            network[0].weight.mul_(1.5)
        ema.update(network)
    twin = EMA(other, 0.99)
    twin.load_state_dict(ema.state_dict())
    ema.update(network)
    twin.update(network)
    assert twin.updates == 6
    for a, b in zip(ema.model.state_dict().values(), twin.model.state_dict().values(), strict=True):
        assert torch.equal(a, b)


@pytest.mark.parametrize("decay", [-0.1, 1.0, 2.0])
def test_refuses_a_decay_that_never_forgets(decay: float) -> None:
    with pytest.raises(ValueError, match="decay"):
        EMA(model(), decay)
