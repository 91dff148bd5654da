"""Films, shapes and strings as recipes, their scores, and the cards of runs and data."""

from dataclasses import replace

import pytest
import torch

from gdmcourse.data.bouncing import films, render
from gdmcourse.data.furniture import furniture
from gdmcourse.recipes import find_recipe
from gdmcourse.recipes.cards import card, data_card, kilowatt_hours, model_card, repeats, shared, unanswered
from gdmcourse.recipes.gan_volumes import NEAR, centres, departure, nearest_shape, path_errors
from gdmcourse.recipes.run_folder import run_recipe
from tests.oracles import gen


def test_films_of_the_law_have_the_departure_one_and_others_more():
    new = films(200, gen(7))
    assert departure(new) == pytest.approx(1, abs=0.1)
    assert departure(new.flip(2)) == pytest.approx(1, abs=0.1)  # a film run backwards is one of the law
    assert departure(new[:, :, torch.randperm(8, generator=gen())]) > 1.8


def test_paths_of_the_law_are_near_and_others_not():
    new = films(200, gen(7))
    assert (path_errors(new) <= NEAR).double().mean() > 0.95
    assert (path_errors(new.flip(3)) <= NEAR).double().mean() > 0.95  # mirrored
    assert (path_errors(new[:, :, torch.randperm(8, generator=gen())]) <= NEAR).double().mean() < 0.05
    dim = 0.2 * (new + 1) - 1  # a path has nothing to do with brightness
    torch.testing.assert_close(centres(dim), centres(new), rtol=0, atol=1e-4)
    sliding = torch.full((1, 8, 2), 3.0) + torch.linspace(0, 0.7, 8)[None, :, None]  # too slow for the law
    assert path_errors(render(sliding)).item() > NEAR


def test_a_generator_that_knows_the_law_gets_the_best_scores():
    class Law(torch.nn.Module):
        def forward(self, z):
            return films(len(z), gen(11))

    recipe = replace(find_recipe("gan-films", "smoke"), scored=100)
    scores = recipe.metrics(Law(), gen())
    assert scores["paths"] > 0.9
    assert scores["departure"] == pytest.approx(1, abs=0.15)


def test_no_film_is_refused():
    with pytest.raises(ValueError, match="no film to judge"):
        departure(films(0, gen()))


def test_a_shape_of_the_list_overlaps_with_itself_alone():
    shapes, _ = furniture()
    overlap, which = nearest_shape(0.3 * shapes)
    assert (overlap == 1).all()
    assert torch.equal(which, torch.arange(len(shapes)))
    broken = shapes[:1].clone()
    voxel = (broken > 0).nonzero()[0]
    broken[tuple(voxel)] = -1
    full = int((shapes[0] > 0).sum())
    assert nearest_shape(broken)[0].item() == pytest.approx((full - 1) / full)


def test_splits_of_shapes_share_nothing():
    recipe = find_recipe("gan-shapes", "smoke")
    train, test = ({row.numpy().tobytes() for row in recipe.data(split)} for split in ("train", "test"))
    assert (len(train), len(test)) == (131, 65)
    assert not train & test


def test_scores_of_untrained_networks():
    for name, keys in (
        ("gan-films", {"paths", "departure"}),
        ("gan-shapes", {"overlap", "near", "new"}),
    ):
        recipe = find_recipe(name, "smoke")
        generator = recipe.build(recipe.data("train"))["generator"].eval()
        scores = recipe.metrics(generator, gen())
        assert set(scores) == keys
        assert recipe.figure(generator, gen()) is not None
    assert scores["near"] == 0


def test_a_network_that_knows_nothing_writes_hardly_anything_valid():
    recipe = find_recipe("transformer-molecules", "smoke")
    model = recipe.build(recipe.data("train"))["model"].eval()
    scores = recipe.metrics(model, gen())
    assert scores["bits"] == pytest.approx(24 * 3.17, rel=0.2)
    assert scores["valid"] < 0.6
    assert scores["new"] <= 1


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "run"
    run_recipe("gan-shapes", "smoke", out=folder, progress=False)
    return folder


def test_a_model_card_says_what_the_run_says_and_leaves_the_rest_blank(run):
    text = card(run)
    recipe = find_recipe("gan-shapes", "smoke")
    weights = sum(p.numel() for net in recipe.build(recipe.data("train")).values() for p in net.parameters())
    assert f"{weights:,} parameters, 8 steps of 8" in text
    assert "| overlap | 0." in text
    assert "| noise_dim | 8 |" in text
    assert [line.split(":")[0] for line in unanswered(text)] == [
        "Version, licence, whom to ask",
        "What for, by whom, and what not for",
        "Groups of people or conditions for which it may work unlike",
        "Made by this course's code, in the recipe's method `data`; there is no data card",
        "Consent, copyright, copies of training data (which test, which result)",
        "What is known to go wrong",
    ]


def test_a_data_card_counts(tmp_path):
    text = data_card("digits")
    assert "train: 1,442 images of (1, 8, 8)." in text
    assert "13 people wrote" in text
    assert text == card("digits")
    images = torch.arange(6.0).reshape(6, 1, 1, 1)
    again = torch.cat([images, images[:2], images[:1]])
    assert repeats(again) == 3
    assert shared(images[:4], again) == 4 + 3
    assert len(unanswered(text)) == 5


def test_a_data_card_of_many_classes_says_how_many_it_left_out():
    text = data_card("stacked")
    assert "| 019 | " in text
    assert "| 020 | " not in text
    assert "| … | and 980 classes more |" in text


def test_energy_is_watts_times_seconds():
    assert kilowatt_hours(3600.0) == pytest.approx(0.015)
    assert kilowatt_hours(3600.0, "cuda:0") == pytest.approx(0.4)
    assert kilowatt_hours(3600.0, "mps") == pytest.approx(0.015)


def test_what_is_neither_is_refused(run, tmp_path):
    with pytest.raises(ValueError, match=r"neither the folder of a run .* digits, mnist"):
        card("nothing")
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(ValueError, match="isn't complete"):
        model_card(tmp_path)
    with pytest.raises(ValueError, match="scored must be at least 1"):
        replace(find_recipe("gan-shapes", "smoke"), scored=0)
    with pytest.raises(ValueError, match="films must be at least 1, not -1"):
        replace(find_recipe("gan-films", "smoke"), films=-1)
