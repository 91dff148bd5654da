"""What the chapter on translating images says of its own run, in numbers."""

import math

import pytest
from scipy.optimize import brentq

from tests.book.executed import kept


@pytest.fixture(scope="module")
def said():
    return kept("book/adversarial/image_translation")


@pytest.mark.parametrize(("weight", "name"), [(10.0, "ten"), (100.0, "hundred")])
def test_the_dial_of_the_page_solves_its_equation(said, weight, name):
    d, p = said["tr-dial-d"], 0.6

    def excess(q):
        m = (p + q) / 2
        return math.log(q / (1 - q)) - math.log(m / (1 - m)) - weight * d * (2 * p - 1)

    assert said[f"tr-dial-{name}"] == pytest.approx(brentq(excess, 1e-12, 1 - 1e-12), abs=1e-6)
    assert 0.6 < said["tr-dial-ten"] < said["tr-dial-hundred"] < 1


@pytest.mark.parametrize("name", ["plain", "drawn"])
@pytest.mark.parametrize("trivial", ["outline", "mean", "nearest"])
def test_both_networks_beat_the_trivial_answers(said, name, trivial):
    for column in ("l1", "features"):
        assert said[f"tr-fill-{name}-{column}"] < 0.9 * said[f"tr-fill-{trivial}-{column}"]
    assert said[f"tr-fill-{name}-psnr"] > said[f"tr-fill-{trivial}-psnr"] + 1
    assert said[f"tr-fill-{name}-class"] > said[f"tr-fill-{trivial}-class"]


def test_the_critic_buys_nothing_that_the_scores_of_fills_can_see(said):
    plain, drawn = (
        {c: said[f"tr-fill-{n}-{c}"] for c in ("features", "class", "frechet")} for n in ("plain", "drawn")
    )
    assert drawn["features"] > 0.97 * plain["features"]
    assert drawn["frechet"] > 0.97 * plain["frechet"]
    assert drawn["class"] < plain["class"] + 0.01


def test_the_absolute_error_alone_is_nearest_in_pixels_and_the_noise_is_ignored(said):
    assert said["tr-fill-plain-l1"] < said["tr-fill-drawn-l1"]
    assert said["tr-fill-plain-psnr"] > said["tr-fill-drawn-psnr"]
    assert said["tr-fill-drawn-l1"] < 1.3 * said["tr-fill-plain-l1"]
    assert said["tr-fill-noise"] < 0.3 * said["tr-fill-error"]


def test_a_full_pool_returns_half_old_images_of_twice_its_places(said):
    assert said["tr-pool-share"] == pytest.approx(0.5, abs=0.02)
    assert said["tr-pool-age"] == pytest.approx(100, rel=0.06)
    assert said["tr-pool-mean"] == pytest.approx(50, rel=0.08)


def test_without_pairs_classes_are_kept_by_the_first_network_and_not_by_the_second(said):
    free, pinned = ({key: said[f"tr-cycle-{name}-{key}"] for key in KEYS} for name in ("free", "pinned"))
    assert free["kept"] > 0.8
    assert free["best"] == pytest.approx(free["kept"], abs=0.02)
    assert free["l1"] < 1.1 * said["tr-cycle-nearest-l1"]
    assert free["l1"] < 1.5 * said["tr-cycle-drawn-l1"]
    assert free["frechet"] > said["tr-cycle-nearest-frechet"]
    assert pinned["frechet"] > 5 * free["frechet"]
    assert pinned["kept"] < 0.35
    assert pinned["best"] < 0.6
    for cycle in ("outline", "digit"):
        assert pinned[cycle] < 1.5 * free[cycle]
    assert free["l1"] < pinned["l1"] / 2


KEYS = ("kept", "best", "l1", "frechet", "outline", "digit")


def test_the_second_network_left_ink_on_the_ring_and_gave_the_middle_too_little(said):
    assert said["tr-ring-true"] < -0.5
    assert abs(said["tr-ring-free"] - said["tr-ring-true"]) < 0.2
    assert said["tr-ring-pinned"] > said["tr-ring-true"] + 0.3
    assert abs(said["tr-ink-free"] - said["tr-ink-true"]) < 0.3
    assert said["tr-ink-pinned"] < 0 < said["tr-ink-true"] - 0.3


def test_shades_are_hidden_in_the_outlines(said):
    digit, rounded = said["tr-cycle-free-digit"], said["tr-cycle-free-rounded"]
    assert 1.1 * digit < rounded < said["tr-cycle-free-l1"]


def test_features_forgive_a_shift_and_pixels_do_not(said):
    assert said["tr-wave-pixel"] < 1e-5
    assert said["tr-wave-features"] < 1e-8


def test_the_regression_has_the_best_ratio_and_the_critic_the_better_set(said):
    bilinear, smooth, sharp = (
        {key: said[f"tr-large-{name}-{key}"] for key in ("psnr", "features", "class", "frechet")}
        for name in ("bilinear", "smooth", "sharp")
    )
    assert smooth["psnr"] > sharp["psnr"] > bilinear["psnr"] + 2
    assert sharp["frechet"] < smooth["frechet"] < bilinear["frechet"] / 3
    assert max(smooth["features"], sharp["features"]) < bilinear["features"] / 2
    assert min(smooth["class"], sharp["class"]) > bilinear["class"] + 0.1
    assert sharp["features"] < smooth["features"]
    assert sharp["class"] > smooth["class"]
    assert 1 < said["tr-large-factor"] < 2


def test_the_package_agrees(said):
    assert said["tr-eco-psnr"] < 1e-4
