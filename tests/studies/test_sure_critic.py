"""What a better and better critic tells its generator, in little."""

import json

import pytest

from gdmcourse.studies.study import run_study
from gdmcourse.studies.sure_critic import study


def test_each_loss_is_looked_at_at_powers_of_two(tmp_path):
    run_study(study(seeds=1, moves=5, before=1, preset="smoke"), to=tmp_path, runs=tmp_path)
    rows = json.loads((tmp_path / "sure_critic.json").read_text())["rows"]
    losses = {name: [row for row in rows if row["loss"] == name] for name in {row["loss"] for row in rows}}
    assert set(losses) == {"wasserstein", "saturating", "non-saturating"}
    for of_loss in losses.values():
        assert [row["moves"] for row in of_loss] == [1, 2, 4]
        assert all(row["image"] > 0 and row["weights"] > 0 and 0 <= row["sure"] <= 1 for row in of_loss)
    # −D ∇f and −(1 − D) ∇f, of one discriminator that knows next to nothing: half of its slope each.
    for one, other in zip(losses["saturating"], losses["non-saturating"], strict=True):
        assert one["image"] == pytest.approx(other["image"], rel=0.3)
