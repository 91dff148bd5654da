"""`gdmcourse train NAME --images FOLDER`: any number of classes and colours, and mistakes found at once."""

import json

import pytest

from gdmcourse.data import load
from gdmcourse.recipes import find_recipe
from gdmcourse.recipes.images import ImageRecipe
from gdmcourse.recipes.run_folder import run_recipe
from gdmcourse.recipes.settings import with_settings
from tests.data.pictures import make_pictures


@pytest.mark.parametrize(("classes", "colour"), [(3, True), (11, False), (1, True)])
@pytest.mark.parametrize("name", ["ddpm", "guide"])
def test_a_folder_of_images_is_trained_on(name, classes, colour, tmp_path):
    folder = make_pictures(tmp_path / "mine", classes, colour=colour, each=9, size=16)
    result = run_recipe(name, "smoke", images=folder, size=8, out=tmp_path / "run", progress=False)
    config = json.loads((tmp_path / "run" / "config.json").read_text())["recipe"]
    assert (config["dataset"], config["size"]) == (str(folder), 8)
    assert result.metrics["steps"] == 8
    if name == "ddpm":
        assert result.metrics["test_loss"] < 3
        assert (tmp_path / "run" / "samples.png").stat().st_size > 1000
        assert "class_accuracy" not in result.metrics  # too few images for the scores
    assert load(str(folder), "train", size=8).images.shape[1] == (3 if colour else 1)


@pytest.mark.slow
def test_enough_images_are_scored_on_a_feature_network_of_their_own(tmp_path, monkeypatch):
    monkeypatch.setenv("GDMCOURSE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("gdmcourse.metrics.features.OWN_STEPS", 150)
    folder = make_pictures(tmp_path / "mine", 3, colour=True, each=120, size=8)
    metrics = run_recipe("ddpm", "smoke", images=folder, out=tmp_path / "run", progress=False).metrics
    assert metrics["frechet"] > metrics["frechet_reference"] > 0
    assert 0 <= metrics["class_accuracy"] <= 1


def test_what_cannot_be_trained_on_is_said_before_the_training(tmp_path):
    folder = make_pictures(tmp_path / "mine", 2, colour=False, each=5, size=16)
    out = tmp_path / "run"
    for name, size, message in (
        ("ddpm", 9, "multiples of 4, not 9×9"),
        ("latent-digits", None, "built on a network that was trained on digits"),
        ("gan-ring", None, "doesn't learn from images"),
    ):
        with pytest.raises(ValueError, match=message):
            run_recipe(name, "smoke", images=folder, size=size, out=out)
    with pytest.raises(ValueError, match="is not a folder"):
        run_recipe("ddpm", "smoke", images=tmp_path / "nowhere", out=out)
    with pytest.raises(ValueError, match="add --images"):
        run_recipe("ddpm-digits", "smoke", size=8, out=out)
    assert not out.exists()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("scored=10", "scored must be more than 64"),
        ("sample_batch=0", "sample_batch must be at least 1"),
        ("drop=2", "drop must be in"),
        ("width=0", "width"),
        ("multipliers=[1.5, 2]", "multipliers is"),
        ("threads=-1", "threads must be at least 1"),
        ("lr=-1", "lr must be above 0"),
        ("clip_norm=-1", "clip_norm must be above 0"),
        ("ema_decay=1", "ema_decay must be in"),
        ("batch_size=0", "batch_size must be at least 1"),
        ("steps=null", "steps is"),
    ],
)
def test_a_setting_that_cannot_be_is_refused_at_once(change, message, tmp_path):
    with pytest.raises(ValueError, match=message):
        run_recipe("ddpm-digits", "smoke", settings=[change], out=tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_null_stands_for_nothing_where_a_field_may_be_empty():
    recipe = with_settings(find_recipe("ddpm-digits", "smoke"), ["clip_norm=null", "threads=null"])
    assert isinstance(recipe, ImageRecipe)
    assert (recipe.clip_norm, recipe.threads) == (None, None)
    assert with_settings(recipe, ["clip_norm=2"]).clip_norm == 2.0


def test_a_complete_run_goes_on_for_more_steps_and_for_nothing_else(tmp_path):
    out = tmp_path / "run"
    first = run_recipe("hmm-dice", "smoke", out=out, progress=False)
    more = run_recipe("hmm-dice", "smoke", settings=["steps=20"], out=out, progress=False)
    assert (first.metrics["steps"], more.metrics["steps"], more.was_complete) == (8, 20, False)
    once = run_recipe("hmm-dice", "smoke", settings=["steps=20"], out=tmp_path / "once", progress=False)
    assert more.metrics["bits"] == once.metrics["bits"]
    for settings in (["steps=10"], ["steps=30", "states=3"]):
        with pytest.raises(ValueError, match="with other settings"):
            run_recipe("hmm-dice", "smoke", settings=settings, out=out, progress=False)


def test_a_folder_in_which_nothing_was_kept_is_nobodys(tmp_path):
    out = tmp_path / "run"
    out.mkdir()
    (out / "config.json").write_text(json.dumps({"name": "x", "preset": "y", "recipe": {}}))
    assert run_recipe("hmm-dice", "smoke", out=out, progress=False).metrics["steps"] == 8
