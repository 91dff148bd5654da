"""What the notation chapter says of its own run, in numbers."""

import pytest

from tests.book.executed import kept


@pytest.fixture(scope="module")
def said():
    return kept("book/start/notation")


def test_the_upper_half_says_something_of_the_lower_one_and_not_all(said):
    assert 0.2 < said["not-half-share"] < 0.9


def test_both_gradients_are_right_and_one_scatters_more(said):
    assert said["not-pathwise"] == pytest.approx(4, abs=0.03)
    assert said["not-density"] == pytest.approx(4, abs=0.15)
    assert said["not-spread"] > 2


@pytest.mark.parametrize("moment", ["mean", "std"])
def test_the_covering_fit_has_the_moments_of_the_mixture(said, moment):
    assert said[f"not-covers-{moment}"] == pytest.approx(said[f"not-p-{moment}"], abs=1e-3)


def test_both_rulers_find_the_same_closest_pair(said):
    assert said["not-nearest-w2"] == said["not-nearest-kl"]


def test_kl_of_two_digits_depends_on_the_direction(said):
    assert abs(said["not-67"] - said["not-76"]) > 0.05 * said["not-76"]


def test_kl_goes_on_growing_with_directions_and_w2_slows_down(said):
    kl, w2 = ([said[f"not-{ruler}-{d}"] for d in (2, 8, 16)] for ruler in ("kl", "w2"))
    assert kl[2] - kl[1] > kl[1] - kl[0] > 0
    assert 0 < w2[2] - w2[1] < w2[1] - w2[0]


def test_most_runs_miss_what_is_rare_and_vouch_for_it(said):
    assert said["not-rare-blind"] == pytest.approx(0.999**500, abs=0.1)
    assert abs(said["not-rare-vouched"]) < 1e-12
    assert said["not-rare-most"] > 3 * said["not-rare-exact"]
    assert said["not-rare-mean"] == pytest.approx(said["not-rare-exact"], rel=0.25)
