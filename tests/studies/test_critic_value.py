"""The studies of the chapter on Wasserstein distances, in little."""

import json
import math

import pytest

from gdmcourse.studies.critic_value import GAMES, study
from gdmcourse.studies.study import run_study


def test_value_and_distance_are_written_down_along_each_training(tmp_path):
    run_study(study(seeds=1, steps=6, samples=80, preset="smoke"), to=tmp_path, runs=tmp_path)
    record = json.loads((tmp_path / "critic_value.json").read_text())
    rows = {game: [row for row in record["rows"] if row["game"] == game] for game in GAMES}
    for of_game in rows.values():
        assert [row["step"] for row in of_game] == [1, 2, 3, 4, 5, 6]
        assert all(row["frechet"] > row["reference"] > 0 for row in of_game)
    # A discriminator's value is at most log 2; one that knows nothing says 0.
    assert all(row["value"] < math.log(2) for row in rows["jensen-shannon"])
    assert rows["jensen-shannon"][0]["value"] == pytest.approx(0, abs=0.1)
    assert rows["wasserstein"] != rows["jensen-shannon"]
