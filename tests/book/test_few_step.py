"""What the chapter on few steps says of its own run, in numbers."""

import math

import pytest

from tests.book.executed import kept

STUDENTS = ("distilled", "adversarial", "matching", "matching-gan")


@pytest.fixture(scope="module")
def said():
    return kept("book/hybrid/few_step")


def score(said, name, kind="relative"):
    return said[f"few-scores-of-{name}-{kind}"]


def reached(said, name, evaluations):
    return said[f"few-all-reached-{name}-{evaluations}"]


def test_four_bells_miss_the_groups_and_four_drawn_images_do_not(said):
    assert said["few-line-outside-bell"] > 0.04
    assert said["few-line-outside-drawn"] < 0.006
    assert said["few-line-outside-data"] < 0.006


def test_the_gap_is_the_derivative_of_the_formula(said):
    for place in (0, 1):
        assert said[f"few-gauss-gap-{place}"] == pytest.approx(said[f"few-gauss-formula-{place}"], rel=0.03)


def test_a_mode_costs_log_two_and_noise_flattens_the_hill(said):
    assert said["few-valley-mode-0.15"] == pytest.approx(math.log(2), abs=1e-3)
    assert said["few-valley-middle-0.15"] > 5
    assert said["few-valley-forward-0.15"] > 10
    assert said["few-valley-middle-0.5"] > said["few-valley-mode-0.5"]
    for level in (0.7, 1.2):
        assert said[f"few-valley-middle-{level}"] < said[f"few-valley-mode-{level}"]


def test_teachers_need_steps(said):
    assert score(said, "ddim-1") > 8
    assert 2.8 > score(said, "ddim-4") > 1.5 * score(said, "ddim-16")


def test_the_matched_student_is_between_four_and_sixteen_steps_of_its_teacher(said):
    assert score(said, "matching") < 0.85 * score(said, "ddim-4")
    assert score(said, "matching") > score(said, "ddim-16")
    assert score(said, "matching-gan") < 0.85 * score(said, "ddim-4")


def test_what_matching_gains_is_recall_and_what_it_loses_is_precision(said):
    assert score(said, "matching", "recall") > score(said, "ddim-4", "recall")
    for kind in ("precision", "accuracy"):
        assert score(said, "matching", kind) < score(said, "ddim-4", kind)


def test_imitation_stays_behind_and_a_critic_gets_ahead(said):
    assert score(said, "adversarial") < score(said, "ddim-4") < score(said, "distilled")


def test_any_student_is_far_better_than_one_step_of_its_teacher(said):
    for name in STUDENTS:
        assert reached(said, name, 1) < 0.5 * reached(said, "DDIM", 1)


def test_a_critic_that_hardly_beats_a_coin_still_teaches(said):
    assert 0.97 * said["few-critic-chance"] < said["few-critic-loss"] < said["few-critic-chance"]
    assert reached(said, "steps", 4) < reached(said, "DDIM", 4) < reached(said, "untrained", 4)


def test_the_entropy_keeps_the_spread(said):
    assert said["few-entropy-width-both"] == pytest.approx(said["few-entropy-wanted"], abs=0.01)
    assert said["few-entropy-width-alone"] < 0.01


def test_a_cost_turns_the_maps_up_and_leaves_no_bend(said):
    none, little, much = (said[f"few-maps-flipped-{place}"] for place in range(3))
    assert 0.25 < none < 0.75
    assert little < none
    assert much == 0
    assert said["few-maps-cost-up"] < said["few-maps-cost-down"]
    off = said["few-maps-cost-up"] - said["few-maps-least"]
    assert 0 < off < said["few-maps-least"] - said["few-maps-bend-cost"]
    assert said["few-maps-cost-down"] == pytest.approx(said["few-maps-most"], rel=0.15)


def test_a_student_costs_a_part_of_its_teachers_training(said):
    for name in (*STUDENTS, "steps"):
        assert 0 < said[f"few-cost-{name}-added"] < 1
    assert max(said[f"few-cost-gan-{name}"] for name in ("dcgan", "r3gan", "cgan")) < 1


def test_a_fake_that_stands_still_says_nothing(said):
    assert said["few-still-gap-still"] < 1e-6
    assert said["few-still-gap-trained"] > 0.01


def test_the_peers_single_step_is_ours_where_it_begins_at_the_last_time(said):
    assert said["few-peer-off-trailing"] < 1e-3
    assert said["few-peer-off-leading"] > 0.5
