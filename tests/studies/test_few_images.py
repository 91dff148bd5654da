"""The study of few images, in little."""

import json

from gdmcourse.studies.few_images import study
from gdmcourse.studies.study import run_study


def test_each_seed_has_all_ways_and_each_moves_its_own_state(tmp_path):
    small = study(seeds=2, images=40, samples=70, preset="smoke", steps=8)
    run_study(small, to=tmp_path, runs=tmp_path)
    record = json.loads((tmp_path / "few_images.json").read_text())
    sizes = {name: record[name] for name in ("seeds", "images", "samples", "draws")}
    assert sizes == {"seeds": 2, "images": 40, "samples": 70, "draws": 3}
    rows = record["rows"]
    assert [(row["seed"], row["way"]) for row in rows] == [
        (seed, way) for seed in range(2) for way in ("none", "adaptive", "noise")
    ]
    assert all(row["strength"] == 0 for row in rows if row["way"] != "adaptive")
    assert all((row["T"] >= 8) == (row["way"] == "noise") for row in rows)
    assert all(row["frechet"] > row["reference"] > 0 for row in rows)
    assert all(-1 <= row[name] <= 1 for row in rows for name in ("sign_seen", "sign_held_out"))
    assert len({row["frechet"] for row in rows}) == len(rows)
