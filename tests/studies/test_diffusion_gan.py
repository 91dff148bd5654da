"""The study of Diffusion-GAN, in little."""

import json
import math

import pytest

from gdmcourse.studies.diffusion_gan import study
from gdmcourse.studies.evidence_elsewhere import ELSEWHERE
from gdmcourse.studies.study import run_study


@pytest.fixture(scope="module")
def rows(tmp_path_factory):
    folder = tmp_path_factory.mktemp("study")
    run_study(study(seeds=2, samples=70, preset="smoke", steps=3), to=folder, runs=folder)
    record = json.loads((folder / "diffusion_gan.json").read_text())
    assert (record["seeds"], record["samples"], record["draws"]) == (2, 70, 3)
    return record["rows"]


def test_each_seed_plays_all_games_on_each_number_of_images(rows):
    assert [(row["seed"], row["images"], row["way"]) for row in rows] == [
        (seed, images, way)
        for seed in range(2)
        for images in (200, 500, 1000, 1442)
        for way in ("plain", "noise", "adaptive")
    ]
    assert all(row["frechet"] > 0 and row["cpu_seconds"] > 0 for row in rows)
    assert len({row["frechet"] for row in rows}) == len(rows)
    assert all(row["strength"] == 0 for row in rows if row["way"] != "adaptive")


def test_its_claims_compare_the_games_of_one_seed_and_one_number_of_images(rows):
    gains, cost = ELSEWHERE[11](rows), ELSEWHERE[12](rows)
    assert [each.condition for each in gains] == [
        "200 images", "500 images", "1,000 images", "all 1,442 images",
    ]  # fmt: skip
    at = {(row["seed"], row["images"], row["way"]): row for row in rows}
    assert gains[1].differences == pytest.approx(
        [math.log(at[seed, 500, "plain"]["frechet"] / at[seed, 500, "noise"]["frechet"]) for seed in range(2)]
    )
    assert cost[0].differences == pytest.approx(
        [
            math.log(at[seed, 1442, "noise"]["cpu_seconds"] / at[seed, 1442, "plain"]["cpu_seconds"])
            for seed in range(2)
        ]
    )
