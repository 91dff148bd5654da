"""The comparison on MNIST in little, on noise of MNIST's shape; and its record."""

import json

import pytest

from gdmcourse.data.errors import MissingDataError
from gdmcourse.metrics.report import Scores
from gdmcourse.studies import gans_vs_diffusion_mnist as mnist
from gdmcourse.studies.record import FOLDER, picture, record
from tests.recipes.stand_in import stand_in

SCORED = Scores(2.0, 0.5, 0.3, 0.4, None)


@pytest.fixture
def noise(monkeypatch):
    monkeypatch.setattr(mnist, "load", lambda name, download: stand_in(name, 140))
    monkeypatch.setattr(mnist, "score_samples", lambda images, dataset: SCORED)


def little():
    return {
        part.get("family", part.get("rule")): part
        for part in mnist.study(seeds=1, flops=1e8, samples=70, preset="smoke").parts
    }


@pytest.mark.parametrize("family", mnist.FAMILIES)
def test_a_run_is_looked_at_four_times_and_drawn_from_thrice_at_the_end(noise, tmp_path, family):
    (row,) = mnist.measure(tmp_path, **little()[family])
    scores = row["scores"]
    assert [each["share"] for each in scores] == [0.125, 0.25, 0.5, 1.0, 1.0, 1.0]
    assert [each["draw"] for each in scores] == [0, 0, 0, 0, 1, 2]
    assert all(each["relative"] == 4.0 for each in scores)
    assert (row["kind"], row["family"], row["seed"], row["steps"]) == ("run", family, 0, 8)
    assert [path.name for path in tmp_path.iterdir()] == [f"gans_vs_diffusion_mnist_{family}.png"]


def test_samples_without_numbers_have_no_score():
    images = stand_in("mnist", 4).images / 0
    assert set(mnist.scores(images).values()) == {None}


@pytest.mark.parametrize("rule", mnist.REFERENCES)
def test_rules_draw_from_the_training_split(noise, tmp_path, rule):
    (row,) = mnist.measure(tmp_path, **little()[rule])
    assert row["kind"] == "reference"
    assert row["frechet"] == 2.0


@pytest.mark.parametrize("name", ["gan", "real"])
def test_without_mnist_nothing_is_downloaded_and_one_sentence_says_so(tmp_path, monkeypatch, name):
    monkeypatch.setenv("GDMCOURSE_DATA", str(tmp_path))
    with pytest.raises(MissingDataError, match="mnist is not in"):
        mnist.measure(tmp_path, **little()[name])
    assert list(tmp_path.iterdir()) == []


def test_the_record_is_of_the_study_as_it_is():
    made, parts = record(mnist.NAME), json.loads(json.dumps(mnist.STUDY.parts))
    assert len(made["rows"]) == len(parts)
    for row, part in zip(made["rows"], parts, strict=True):
        assert {name: part[name] for name in ("kind", "seed")} == {
            name: row[name] for name in ("kind", "seed")
        }
        if part["kind"] == "reference":
            assert row["rule"] == part["rule"]
            continue
        assert (row["family"], row["changes"]) == (part["family"], part["changes"])
        assert row["flops"] == pytest.approx(made["flops"], rel=0.01)
        assert row["machine"]
    assert (made["flops"], made["seeds"]) == (mnist.BUDGET, 3)


@pytest.mark.parametrize("family", mnist.FAMILIES)
def test_the_record_has_two_rows_of_ten_samples_of_each_family(family):
    name = mnist.picture_of(family)
    assert picture(name).shape == (1, 1, 2 * 29 + 1, 10 * 29 + 1)
    assert (FOLDER / f"{name}.png").stat().st_size < 60_000
