"""The diffusion benchmark compares what it says it does."""

import pytest
import torch

from benchmarks import diffusion

pytestmark = pytest.mark.filterwarnings(
    "ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning"
)


@pytest.fixture(autouse=True)
def small(monkeypatch):
    for name, value in {"BATCH": 2, "SAMPLES": 2, "STEPS": 4, "REPEATS": 1}.items():
        monkeypatch.setattr(diffusion, name, value)
    monkeypatch.setattr(diffusion.torch, "set_num_threads", lambda threads: None)


def test_every_row_is_there_and_both_sides_draw_the_same_images(monkeypatch):
    """`rows` itself refuses networks of another size and samples that differ."""
    monkeypatch.setattr(diffusion, "_memory", lambda ours, peer: (1.0, 2.0))
    rows = diffusion.rows()
    assert [row["unit"] for row in rows[:4]] == ["s", "MiB", "s", "MiB"]
    assert all(row["ours"] > 0 and row["peer"] > 0 for row in rows)
    monkeypatch.setattr(diffusion, "WIDTH", 40)
    with pytest.raises(AssertionError, match="one size"):
        diffusion.rows()


def test_a_training_step_trains_each_side():
    for side in (diffusion.training_ours, diffusion.training_peer):
        torch.manual_seed(0)
        step = side()
        (model,) = (
            cell.cell_contents
            for cell in step.__closure__
            if isinstance(cell.cell_contents, torch.optim.Optimizer)
        )
        before = [p.clone() for group in model.param_groups for p in group["params"]]
        step()
        after = [p for group in model.param_groups for p in group["params"]]
        assert any(not torch.equal(a, b) for a, b in zip(before, after, strict=True))


@pytest.mark.skipif(torch.cuda.is_available(), reason="measures the processor's memory")
def test_memory_is_what_a_run_adds(monkeypatch):
    def side():
        ready = torch.ones(40 * 2**18)  # 40 MiB before the run don't count
        return lambda: (ready, torch.ones(100 * 2**18))

    monkeypatch.setattr(diffusion, "training_ours", side)
    assert 95 < diffusion._growth("training_ours") < 140
