"""The sweep of the guidance scale, in little."""

from gdmcourse.studies import guidance_scale
from tests.studies.little import in_little


def test_the_scale_sweep_writes_a_row_for_each_way_and_scale(tmp_path, monkeypatch, own_cache):
    monkeypatch.setattr(guidance_scale, "SCALES", (0.5, 3.0))
    record = in_little(guidance_scale.study(seeds=2, samples=70, steps=2, preset="smoke"), tmp_path)
    assert len(record["rows"]) == 2 * (1 + 3 * 2 + 2)
    assert (record["seeds"], record["samples"], record["sampling_steps"]) == (2, 70, 2)
    for row in record["rows"]:
        assert row["frechet"] > row["reference"] > 0
        assert row["spread"] > 0
        assert all(0 <= row[name] <= 1 for name in ("precision", "recall", "accuracy"))
    beyond = {row["way"] for row in record["rows"] if row["scale"] == 3.0}
    assert beyond == {"free", "noisy", "clean", "middle", "worse"}
    none = [row for row in record["rows"] if row["way"] == "none"]
    assert [row["seed"] for row in none] == [0, 1]
    assert none[0]["frechet"] != none[1]["frechet"]
