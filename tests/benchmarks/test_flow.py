"""The flow benchmark compares flows of one size that compute the same."""

import pytest
import torch
from torch import nn

from benchmarks import flow


def test_both_flows_have_one_size_and_the_row_says_so(monkeypatch):
    for name, value in {"BATCH": 4, "STEPS": 1, "REPEATS": 1, "COUPLINGS": 2, "WIDTH": 8}.items():
        monkeypatch.setattr(flow, name, value)
    monkeypatch.setattr(flow.torch, "set_num_threads", lambda threads: None)
    (row,) = flow.rows()
    assert row["unit"] == "s"
    assert "zuko" in row["name"]
    larger = flow.peer()
    larger.extra = nn.Parameter(torch.zeros(1))
    monkeypatch.setattr(flow, "peer", lambda: larger)
    with pytest.raises(AssertionError, match="one size"):
        flow.rows()


def test_a_step_of_each_side_moves_all_its_weights():
    for model, log_prob in ((flow.ours(), None), (flow.peer(), None)):
        log_prob = model.log_prob if log_prob is None and hasattr(model, "log_prob") else None
        before = [p.clone() for p in model.parameters()]
        flow.stepper(model, log_prob or (lambda x, model=model: model().log_prob(x)))()
        assert any(not torch.equal(a, b) for a, b in zip(before, model.parameters(), strict=True))
