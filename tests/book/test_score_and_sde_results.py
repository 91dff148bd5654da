"""What the chapter on scores and stochastic equations says of its own run, in numbers."""

import pytest

from gdmcourse.diffusion import linear_schedule
from gdmcourse.diffusion.sde import VPSDE
from tests.book.executed import kept

WEIGHTS = (0.2, 0.3, 0.5)


@pytest.fixture(scope="module")
def said():
    return kept("book/diffusion/score_and_sde")


def shares(said, name):
    """How much of a walk ended in each peak."""
    return [said[f"sde-{name}-{k}"] for k in range(3)]


def test_the_learned_score_is_right_at_the_data_and_arbitrary_elsewhere(said):
    assert said["sde-error-data"] < 0.2
    assert said["sde-error-square"] > 5 * said["sde-error-last"]


def test_both_sides_of_the_fokker_planck_equation_agree(said):
    assert said["sde-fp-error"] < 1e-3 * said["sde-fp-size"]


def test_plain_langevin_gets_the_weights_wrong_and_falling_noise_gets_them_right(said):
    assert max(abs(a - b) for a, b in zip(shares(said, "shares-plain-exact-of"), WEIGHTS, strict=True)) > 0.1
    for name in ("exact", "learned"):
        assert shares(said, f"shares-annealed-{name}-of") == pytest.approx(WEIGHTS, abs=0.06)


def test_a_point_bounds_the_excess_width_of_all_other_data(said):
    assert said["sde-annealed-peak"] < said["sde-annealed-point"] < 0.1


def test_the_score_network_draws_digits_that_real_ones_beat(said):
    assert said["sde-ncsn-frechet"] > 2 * said["sde-ncsn-reference"]
    assert said["sde-ve-frechet"] < 2 * said["sde-ncsn-frechet"]


def test_the_table_and_its_limit_can_hardly_be_told_apart(said):
    assert said["sde-gap"] < 0.005
    half = float(linear_schedule(1000).alpha_bar[500])
    assert abs(half - VPSDE().marginal(0.5)[0] ** 2) <= said["sde-gap"]


def test_the_walk_back_finds_the_weights(said):
    assert shares(said, "back-of") == pytest.approx(WEIGHTS, abs=0.06)


def test_the_corrector_mends_a_part_of_the_error(said):
    few, corrected, many = (said[f"sde-pc-{name}-width"] for name in ("few", "corrected", "many"))
    assert 0.24 < max(corrected, many) < few - 0.005


def test_codes_look_like_noise_and_lead_back(said):
    assert abs(said["sde-code-mean"]) < 0.2
    assert 0.9 < said["sde-code-std"] < 1.1
    assert said["sde-return"] < 0.01


def test_one_network_draws_digits_by_both_equations(said):
    """Which of the two is the better changes with the noise, so nothing is asserted of it."""
    distances = [said[f"sde-ddpm-{name}-{half}"] for name in ("sde", "ode") for half in (0, 1)]
    assert said["sde-ncsn-reference"] < min(distances)
    assert max(distances) < 3 * min(distances)


def test_the_likelihood_by_the_ode_is_exact_with_the_exact_score_and_near_with_a_learned_one(said):
    assert said["sde-likelihood-error"] < 0.05
    assert said["sde-plane-guess"] == pytest.approx(said["sde-plane-exact"], abs=0.15)
    assert said["sde-plane-correlation"] > 0.9


def test_the_network_gives_held_out_digits_more_density_than_a_gaussian(said):
    assert said["sde-digits-ode"] > said["sde-digits-gaussian"]


@pytest.mark.parametrize("step", ["0.1", "1", "3"])
def test_langevin_settles_where_the_formula_says(said, step):
    assert said[f"sde-step-found-{step}"] == pytest.approx(1 / (1 - float(step) / 4), rel=0.12)
    assert said[f"sde-step-predicted-{step}"] == pytest.approx(1 / (1 - float(step) / 4))


def test_langevin_explodes_beyond_four_variances(said):
    assert said["sde-step-found-4.1"] > 1e3


def test_the_drifts_sign_is_the_treacherous_one(said):
    right, drift, data = (said[f"sde-sign-{name}-size"] for name in ("right", "drift", "data"))
    assert drift**2 < 0.9 * right**2
    assert right == pytest.approx(data, rel=0.05)
    assert 0.25 < said["sde-sign-drift-width"] < 0.32
    assert shares(said, "sign-drift-part") == pytest.approx(WEIGHTS, abs=0.1)
    assert said["sde-sign-score-size"] > 1e3
