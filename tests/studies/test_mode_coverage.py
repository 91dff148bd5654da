"""The count of modes, in little: balanced by seeds, every way on both sets."""

from gdmcourse.studies.mode_coverage import RECIPES, WAYS, study


def test_parts_go_seed_by_seed():
    seeds = [part["seed"] for part in study(seeds=3).parts]
    assert seeds == sorted(seeds)
    first = [(part["toy"], part["way"]) for part in study(seeds=3).parts if part["seed"] == 0]
    assert sorted(first) == sorted((toy, way) for toy in RECIPES for way in WAYS)


def test_a_part_is_a_row_with_counts(tmp_path):
    little = study(seeds=1, preset="smoke", steps=2)
    rows = [row for part in little.parts for row in little.measure(tmp_path, **part)]
    assert [(row["toy"], row["way"]) for row in rows] == [(toy, way) for toy in RECIPES for way in WAYS]
    for row in rows:
        assert 0 <= row["modes"] <= {"8gaussians": 8, "25gaussians": 25}[row["toy"]]
        assert 0 <= row["high_quality"] <= 1
        assert row["seconds"] > 0
    assert little.content(rows) == {"rows": rows, "seeds": 1}
