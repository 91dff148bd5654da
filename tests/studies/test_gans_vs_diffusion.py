"""The comparison in little: every kind of part, and a search that knows nothing of the held-out digits."""

import json
from collections import Counter

import numpy as np
import pytest
import torch

from gdmcourse.data import load
from gdmcourse.recipes.feature_networks import find_features
from gdmcourse.studies import equal_search, gans_vs_diffusion
from gdmcourse.studies.families import FAMILIES, Family, configured, matched
from gdmcourse.studies.judge import DISTANCES, Judge, reference_images
from gdmcourse.training.flops import step_flops

TINY = {"flops": 1e8, "samples": 70}


@pytest.fixture
def parts(monkeypatch):
    """The parts of a study of one seed, by kind and family, each family as its first trial had it."""
    chosen = {name: {**family.base, **family.draw(0)} for name, family in FAMILIES.items()}
    record = {"chosen": json.loads(json.dumps(chosen))}
    monkeypatch.setattr(gans_vs_diffusion, "record", lambda name: record)
    study = gans_vs_diffusion.study(seeds=1, points=1e8, **TINY)
    return {(part["kind"], part["settings"].get("family")): part for part in study.parts}


def test_a_run_is_looked_at_four_times_and_drawn_from_in_many_ways(parts, tmp_path):
    part = parts["run", "flow"]
    part["settings"]["samplers"] = (("euler", 2), ("euler", 1))
    (row,) = gans_vs_diffusion.measure(tmp_path, **part)
    scores = row["scores"]
    assert [each["share"] for each in scores] == [0.125, 0.25, 0.5] + 6 * [1.0]
    assert [each["draw"] for each in scores] == [0, 0, 0, 0, 1, 2, 0, 0, 0]
    assert [each["temperature"] for each in scores[-2:]] == [0.6, 0.8]
    assert row["steps"] == 8
    assert row["parameters"] > 1000
    assert row["machine"]
    assert not (tmp_path / "run").exists()


def test_a_rate_is_moved_and_few_images_are_few(parts, tmp_path):
    (row,) = gans_vs_diffusion.measure(tmp_path, **parts["rate", "gan"])
    chosen = parts["run", "gan"]["settings"]["changes"]["lr"]
    assert row["changes"]["lr"] == pytest.approx(row["rate"] * chosen)
    (row,) = gans_vs_diffusion.measure(tmp_path, **parts["few", "gan"])
    assert [each["share"] for each in row["scores"]] == [0.125, 0.25, 0.5, 1.0]
    for each in row["scores"]:
        assert set(each) == {"share", *DISTANCES, "copies"}
        assert 0 <= each["copies"] <= 1


def test_a_training_that_blows_up_is_a_row_without_scores(parts, tmp_path):
    part = parts["rate", "ddpm"]
    part["settings"]["changes"]["lr"] = 1e30
    (row,) = gans_vs_diffusion.measure(tmp_path, **part)
    assert row["error"]
    assert row["scores"] == []


@pytest.mark.parametrize("family", ["gan", "flow"])
def test_modes_are_counted(parts, tmp_path, family):
    (row,) = gans_vs_diffusion.measure(tmp_path, **parts["modes", family])
    assert 0 <= row["modes"] <= 25
    assert 0 <= row["high_quality"] <= 1


def test_parts_go_seed_by_seed(monkeypatch):
    monkeypatch.setattr(gans_vs_diffusion, "record", lambda name: {"chosen": {"gan": {}, "ddpm": {}}})
    study = gans_vs_diffusion.study(seeds=3)
    for kind in ("run", "rate", "modes", "few", "reference"):
        seeds = [part["settings"]["seed"] for part in study.parts if part["kind"] == kind]
        assert seeds == sorted(seeds)
        assert len(seeds) >= 3


def test_the_search_judges_by_images_that_it_does_not_train_on():
    train, validation = equal_search.carved()
    images = {image.numpy().tobytes() for image in train.images}
    assert len(train) + len(validation) == len(load("digits"))
    assert len(validation) == len(load("digits")) // 5
    shared = sum(image.numpy().tobytes() in images for image in validation.images)
    assert shared == 0


def test_the_smallest_distance_is_chosen_and_failures_are_not():
    rows = [
        {"family": "a", "frechet": None, "changes": {"lr": 1}},
        {"family": "a", "frechet": 3.0, "changes": {"lr": 2}},
        {"family": "a", "frechet": 2.0, "changes": {"lr": 3}},
        {"family": "b", "frechet": None, "changes": {"lr": 4}},
    ]
    assert equal_search.chosen(rows) == {"a": {"lr": 3}}


def test_a_trial_in_little(tmp_path):
    part = equal_search.study(trials=1, **TINY).parts[-1]
    (row,) = equal_search.measure(tmp_path, **part)
    assert row["family"] == "vae"
    assert row["frechet"] > 0


def test_every_family_is_searched_alike_and_trials_differ():
    for family in FAMILIES.values():
        drawn = [json.dumps(family.draw(trial)) for trial in range(equal_search.TRIALS)]
        assert family.draw(3) == family.draw(3)
        assert len(set(drawn)) >= equal_search.TRIALS - 5
    assert Family("vae-digits", {"latents": (4,)}).draw(0) == {"latents": 4}


def test_steps_are_what_the_budget_pays_for():
    recipe = configured("vae-digits", {"warmup": None}, 0, "smoke")
    train = load("digits")
    made, each = matched(recipe, train, 1e9)
    assert each == step_flops(recipe, train)
    assert made.steps == round(1e9 / each)


def test_a_distance_is_taken_in_each_of_two_networks_and_in_pixels():
    train, held_out = load("digits").images, load("digits", "test").images
    images = reference_images("memoriser", 70, 0)
    said = Judge(train, held_out)(images)
    for name, network in (("frechet", "classifier"), ("frechet_unlabelled", "vicreg")):
        ours, theirs = (find_features(network).features(part).double().numpy() for part in (images, held_out))
        mean = ((ours.mean(0) - theirs.mean(0)) ** 2).sum()
        covariances = [np.cov(part, rowvar=False) for part in (ours, theirs)]
        root = np.sqrt(np.linalg.eigvals(covariances[0] @ covariances[1]).real.clip(0)).sum()
        distance = mean + covariances[0].trace() + covariances[1].trace() - 2 * root
        assert said[name] == pytest.approx(distance, rel=1e-3)
    assert len({said[name] for name in DISTANCES}) == 3


def test_few_images_have_six_seeds(monkeypatch):
    monkeypatch.setattr(gans_vs_diffusion, "record", lambda name: {"chosen": {"gan": {}, "ddpm": {}}})
    parts = gans_vs_diffusion.study().parts
    few = Counter(part["settings"]["images"] for part in parts if part["kind"] == "few")
    assert few == dict.fromkeys(gans_vs_diffusion.IMAGES, 12)  # of two families


def test_the_reference_rows_know_what_they_are():
    train = {image.numpy().tobytes() for image in load("digits").images}
    for rule, least, most in (("real", 60, 70), ("memoriser", 1, 70), ("one by one", 60, 70)):
        images = [image.numpy().tobytes() for image in reference_images(rule, 70, 0)]
        assert least <= len(set(images)) <= most
        assert all(image in train for image in images) == (rule != "one by one")
    known = {image.numpy().tobytes() for image in reference_images("memoriser", 1000, 0)}
    assert len(known) <= 100
    mixture = reference_images("mixture", 10, 0)
    assert mixture.shape == (10, 1, 8, 8)
    assert torch.equal(mixture, reference_images("mixture", 10, 0))
