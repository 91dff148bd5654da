"""The study of failing games, in little: settings, what failing means, a run that ends without numbers."""

import json
from dataclasses import replace

import pytest
import torch

from gdmcourse.metrics.report import score_samples
from gdmcourse.recipes import find_recipe
from gdmcourse.studies import gan_stability, record
from gdmcourse.studies.gan_stability import (
    GAMES,
    SETTINGS,
    changed,
    failed,
    measure,
    one_by_one,
    shown,
    written,
)
from gdmcourse.studies.study import run_study

SIZES = {"steps": 30, "batch_size": 8, "samples": 80}


def test_a_run_in_little_writes_a_row_for_each_game_and_setting(tmp_path, monkeypatch):
    monkeypatch.setattr(gan_stability, "SETTINGS", dict(list(SETTINGS.items())[:2]))
    small = gan_stability.study(seeds=1, **SIZES)
    run_study(small, to=tmp_path, runs=tmp_path)
    made = json.loads((tmp_path / "gan_stability.json").read_text())
    assert [(row["game"], row["setting"]) for row in made["rows"]] == [
        (game, setting) for game in GAMES for setting in list(SETTINGS)[:2]
    ]
    assert made["seeds"] == 1
    assert {"machine", "date", "cpu_minutes", *SIZES} <= set(made)
    for row in made["rows"]:
        assert row["relative"] > 0
        assert shown(row).shape == (16, 1, 8, 8)
        assert shown(row).abs().max() <= 1
        assert len(row["curves"]["critic"]) == SIZES["steps"] // 10


def test_the_parts_go_from_seed_to_seed():
    parts = gan_stability.study(seeds=3).parts
    assert [part["seed"] for part in parts] == sorted(part["seed"] for part in parts)
    assert len(parts) == 3 * len(GAMES) * len(SETTINGS)


def test_a_game_that_blows_up_is_a_failure_and_not_the_end_of_the_study(tmp_path, monkeypatch):
    monkeypatch.setitem(gan_stability.SETTINGS, "wild", {"rate": 1e30})
    (row,) = measure(tmp_path, game="modern", setting="wild", seed=1, **SIZES)
    assert row["relative"] is None
    assert row["error"]
    assert failed(row)


def test_a_slip_in_the_scores_is_no_failed_game(tmp_path, monkeypatch):
    scored = []

    def refuse(images):
        scored.append(images)
        if len(scored) == 2:  # after the pixels drawn one by one, the game's own samples
            raise ValueError("a slip")
        return score_samples(images)

    monkeypatch.setattr(gan_stability, "score_samples", refuse)
    with pytest.raises(ValueError, match="a slip"):
        measure(tmp_path, game="plain", setting="as it is", seed=1, **SIZES)


def test_failing_is_worse_than_pixels_drawn_one_by_one():
    assert failed({"relative": 41.0, "one_by_one": 40.0})
    assert not failed({"relative": 39.0, "one_by_one": 40.0})


def test_pixels_drawn_one_by_one_have_each_pixel_s_own_values_and_no_strokes():
    images = one_by_one(3000, torch.Generator().manual_seed(0))
    train = find_recipe("dcgan-digits").data("train").images
    torch.testing.assert_close(images.mean(0), train.mean(0), atol=0.06, rtol=0)
    torch.testing.assert_close(images.std(0), train.std(0), atol=0.06, rtol=0)
    pixels = images.flatten(1)[:, [26, 27]]
    assert torch.corrcoef(pixels.T)[0, 1].abs() < 0.06
    assert score_samples(images[:500]).relative > 20


def test_images_are_kept_as_words_and_come_back():
    images = find_recipe("dcgan-digits").data("test").images[:5]
    words = written(images)
    assert [len(word) for word in words] == [64] * 5
    torch.testing.assert_close(shown({"images": words}), images)


@pytest.mark.parametrize("game", GAMES.values())
def test_a_setting_changes_one_thing(game):
    recipe = find_recipe(game)
    assert changed(recipe, {}) == recipe
    assert changed(recipe, SETTINGS["rate × 4"]) == replace(recipe, lr=4 * recipe.lr)
    assert changed(recipe, SETTINGS["generator × ¼"]) == replace(recipe, rate_ratio=0.25)
    assert changed(recipe, SETTINGS["β₁ = 0.9"]).betas == (0.9, recipe.betas[1])
    assert changed(recipe, SETTINGS["β₁ = 0 or ½"]).betas[0] == 0.5 - recipe.betas[0]


def test_the_record_holds_every_run_of_the_study():
    made = record("gan_stability")
    wanted = {(g, s, seed) for g in GAMES for s in SETTINGS for seed in range(made["seeds"])}
    assert {(row["game"], row["setting"], row["seed"]) for row in made["rows"]} == wanted
    assert len(made["rows"]) == len(wanted)
    assert made["seeds"] == 10
