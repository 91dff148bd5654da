"""What the chapter on Wasserstein distances says of its own run and of its two studies, in numbers."""

import pytest

from gdmcourse.studies import record
from tests.book.executed import kept


@pytest.fixture(scope="module")
def said():
    return kept("book/adversarial/wasserstein")


def test_clipped_weights_stand_at_the_bounds(said):
    assert said["wgan-ring-edge"] > 0.3


@pytest.mark.parametrize("game", ["held", "clipped"])
def test_the_ring_is_found(said, game):
    assert said[f"wgan-ring-{game}-modes"] >= 7


def test_only_the_zero_centred_game_comes_to_rest_at_the_data(said):
    assert said["wgan-dirac-light"] > 0.5
    assert said["wgan-dirac-heavy"] == pytest.approx(2, abs=0.05)
    assert said["wgan-dirac-zero"] < 1e-3


def test_a_small_critic_shows_less_a_stuck_one_too_and_none_shows_more(said):
    assert said["wgan-critic-small"] < 0.6
    assert 0.75 < said["wgan-critic-large"] < 1.0001
    assert said["wgan-critic-stuck"] < 0.5


def test_batches_of_digits_are_far_from_each_other(said):
    alike = [said[f"wgan-batch-alike-{n}"] for n in (32, 128, 512)]
    other = [said[f"wgan-batch-other-{n}"] for n in (32, 128, 512)]
    assert alike == sorted(alike, reverse=True)
    assert alike[2] > 0.5 * other[2]
    assert other[2] > alike[2]


@pytest.mark.parametrize("way", ["penalty", "clipping"])
def test_half_a_minute_of_either_game_is_far_from_good(said, way):
    assert said[f"wgan-digits-{way}-relative"] > 4
    assert said[f"wgan-digits-{way}-recall"] < 0.4


def test_a_wasserstein_critics_value_falls_with_the_distance(said):
    assert said["wgan-value-wasserstein-low"] > 0.5
    assert said["wgan-value-jensen-shannon-high"] < said["wgan-value-wasserstein-low"]


def test_one_game_gets_better_and_the_other_hardly():
    """The mean distance at the last five moments, against that at the third to the seventh."""
    rows, left = record("critic_value")["rows"], {}
    for row in rows:
        left.setdefault((row["game"], row["seed"]), []).append(row["frechet"])
    changes = {key: sum(values[-5:]) / sum(values[2:7]) for key, values in left.items()}
    assert max(change for (game, _), change in changes.items() if game == "wasserstein") < 0.8
    assert min(change for (game, _), change in changes.items() if game == "jensen-shannon") > 0.8


def test_a_sure_discriminator_starves_one_loss_and_feeds_another(said):
    assert said["wgan-felt-sure"] > 0.95
    assert said["wgan-felt-growth-saturating"] < 0.3
    assert said["wgan-felt-growth-non-saturating"] > 2
    assert 0.5 < said["wgan-felt-last-wasserstein"] < 2
