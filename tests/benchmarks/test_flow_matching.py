"""The benchmark of flow matching compares what it says it does."""

import pytest
import torch

from benchmarks import flow_matching

# diffusers turns a tensor into an array in a way that numpy 2 warns of.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept:DeprecationWarning")


@pytest.fixture(autouse=True)
def small(monkeypatch):
    for name, value in {"BATCH": 2, "SAMPLES": 2, "LEVELS": 4, "REPEATS": 1, "WIDTH": 8, "SIDE": 8}.items():
        monkeypatch.setattr(flow_matching, name, value)
    monkeypatch.setattr(flow_matching.torch, "set_num_threads", lambda threads: None)


def test_every_row_is_there_and_both_sides_draw_the_same_images(monkeypatch):
    """`rows` itself refuses samples that differ."""
    step, walk = flow_matching.rows()
    assert "rectified-flow-pytorch" in step["name"]
    assert "diffusers" in walk["name"]
    assert all(row["ours"] > 0 and row["peer"] > 0 for row in (step, walk))
    monkeypatch.setattr(flow_matching, "karras_sigmas", lambda steps, low, high: [high, low, 0.0])
    with pytest.raises(AssertionError, match="the same images"):
        flow_matching.rows()


@pytest.mark.parametrize("side", [flow_matching.training_ours, flow_matching.training_peer])
def test_a_training_step_trains_each_side(side, monkeypatch):
    model = flow_matching.network()
    monkeypatch.setattr(flow_matching, "network", lambda: model)
    before = [p.clone() for p in model.parameters()]
    side()()
    assert any(not torch.equal(a, b) for a, b in zip(before, model.parameters(), strict=True))
