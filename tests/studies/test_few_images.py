"""The study of few images, in little."""

import json

from gdmcourse.studies.few_images import study
from gdmcourse.studies.study import run_study


def test_each_seed_has_both_ways_and_only_one_moves_its_strength(tmp_path):
    small = study(seeds=2, images=40, samples=70, preset="smoke", steps=3)
    run_study(small, to=tmp_path, runs=tmp_path)
    record = json.loads((tmp_path / "few_images.json").read_text())
    assert (record["seeds"], record["images"], record["samples"]) == (2, 40, 70)
    rows = record["rows"]
    assert [(row["seed"], row["way"]) for row in rows] == [
        (0, "none"), (0, "adaptive"), (1, "none"), (1, "adaptive"),
    ]  # fmt: skip
    assert all(row["strength"] == 0 for row in rows if row["way"] == "none")
    assert all(row["frechet"] > row["reference"] > 0 for row in rows)
    assert all(-1 <= row[name] <= 1 for row in rows for name in ("sign_seen", "sign_held_out"))
