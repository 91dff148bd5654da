"""What the chapter on few steps says of its own run, in numbers."""

import math

import pytest

from tests.book.executed import kept

STUDENTS = ("distilled", "adversarial", "matching", "matching-gan")


@pytest.fixture(scope="module")
def said():
    return kept("book/hybrid/few_step")


def relative(said, name):
    return said[f"few-scores-of-{name}-relative"]


def test_four_bells_miss_the_groups_and_four_drawn_images_do_not(said):
    assert said["few-line-outside-bell"] > 0.04
    assert said["few-line-outside-drawn"] < 0.006


def test_the_gap_is_the_derivative_of_the_formula(said):
    for place in (0, 1):
        assert said[f"few-gauss-gap-{place}"] == pytest.approx(said[f"few-gauss-formula-{place}"], rel=0.03)


def test_a_mode_costs_log_two_and_noise_flattens_the_hill(said):
    assert said["few-valley-mode-0.15"] == pytest.approx(math.log(2), abs=1e-3)
    assert said["few-valley-middle-0.15"] > 5
    assert said["few-valley-forward-0.15"] > 10
    assert said["few-valley-middle-1.2"] < said["few-valley-mode-1.2"]


def test_teachers_need_steps(said):
    assert relative(said, "ddim-1") > 8 > 2.8 > relative(said, "ddim-4") > 1.5 * relative(said, "ddim-16")


def test_the_matched_student_is_between_four_and_sixteen_steps_of_its_teacher(said):
    assert relative(said, "matching") < 0.85 * relative(said, "ddim-4")
    assert relative(said, "matching") > relative(said, "ddim-16")
    assert relative(said, "matching-gan") < 0.85 * relative(said, "ddim-4")


def test_the_entropy_keeps_the_spread(said):
    assert said["few-entropy-width-both"] == pytest.approx(said["few-entropy-wanted"], abs=0.01)
    assert said["few-entropy-width-alone"] < 0.01


def test_a_fake_that_stands_still_says_nothing(said):
    assert said["few-still-gap-still"] == 0
    assert said["few-still-gap-trained"] > 0.01


def test_the_peers_single_step_is_ours_where_it_begins_at_the_last_time(said):
    assert said["few-peer-off-trailing"] < 1e-3
    assert said["few-peer-off-leading"] > 0.5
