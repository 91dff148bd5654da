"""What the chapter on fast samplers says of its own run, in numbers."""

import pytest

from tests.book.executed import kept

SAMPLERS = ("ancestral", "half", "ddim", "two", "three")


@pytest.fixture(scope="module")
def said():
    return kept("book/diffusion/fast_samplers")


def test_everything_is_too_narrow_and_dice_make_it_narrower(said):
    lost = {(eta, n): said[f"fast-width-lost-{eta}-{n}"] for eta in ("0", "0.5", "1") for n in (10, 40)}
    assert min(lost.values()) > 0
    for n in (10, 40):
        assert lost["1", n] > lost["0", n] + 0.01
    assert lost["0", 10] < 0.75 * lost["1", 10]
    assert said["fast-width-between"] == pytest.approx(lost["1", 40], abs=0.02)


@pytest.mark.parametrize("order", [1, 2, 3])
def test_the_error_falls_with_the_order(said, order):
    assert said[f"fast-slope-of-{order}"] == pytest.approx(order, abs=0.15)


def test_with_long_steps_the_third_order_is_no_better_than_the_second(said):
    assert said["fast-error-first-3"] > said["fast-error-first-2"] / 2
    assert said["fast-error-last-3"] < said["fast-error-last-2"] < said["fast-error-last-1"]


def test_where_the_times_lie_matters_and_heun_is_no_better_at_equal_calls(said):
    assert said["fast-off-lambda"] < 0.6 * said["fast-off-t"] < 0.6 * said["fast-off-r"]
    assert said["fast-off-heun"] > 2 * said["fast-off-t"]


def test_at_five_steps_order_two_is_well_ahead(said):
    two, ddim, ancestral = (said[f"fast-{name}-relative-5"] for name in ("two", "ddim", "ancestral"))
    assert two < ddim < ancestral
    assert said["fast-ancestral-relative-40"] < 0.9 * ancestral
    assert said["fast-ddim-relative-10"] < said["fast-ancestral-relative-10"]


def test_samples_are_read_as_asked_and_lack_variety(said):
    assert min(said[f"fast-{name}-accuracy-{n}"] for name in SAMPLERS for n in range(4)) > 0.9
    assert said["fast-ancestral-recall-0"] < said["fast-ancestral-recall-3"]


def test_with_more_steps_the_samplers_without_noise_come_together(said):
    gap = {
        n: max(r) - min(r) for n in (5, 40) if (r := [said[f"fast-{s}-relative-{n}"] for s in SAMPLERS[2:]])
    }
    assert gap[40] < 0.5 * gap[5]


def test_five_draws_are_in_the_order_of_the_table(said):
    two, ddim, ancestral = (said[f"fast-draws-{name}-mean"] for name in ("two", "ddim", "ancestral"))
    assert two < ddim < ancestral


def test_order_two_is_nearer_to_the_answer_and_order_three_adds_little(said):
    ddim, two, three = (said[f"fast-apart-of-{order}-20"] for order in (1, 2, 3))
    assert two < 0.8 * ddim
    assert abs(three - two) < 0.5 * two


def test_longer_walks_lose_less_on_the_way_there_and_back(said):
    lost = [said[f"fast-lost-of-{n}"] for n in (10, 40, 160)]
    assert lost == sorted(lost, reverse=True)
    assert lost[-1] < 0.2
    assert said["fast-code-std"] < said["fast-code-varies"] < 1.2


def test_wrong_lists_of_times_end_at_another_law(said):
    mean, std = said["fast-wrong-mean"], said["fast-wrong-std"]
    assert said["fast-wrong-at-right-600-mean"] == pytest.approx(mean, abs=0.03)
    assert said["fast-wrong-at-low-600-mean"] < mean - 0.1
    assert said["fast-wrong-at-division-600-std"] > std + 0.05


def test_a_score_of_digits_hardly_punishes_them(said):
    low, division, right = (said[f"fast-wrong-digits-{name}"] for name in ("low", "division", "right"))
    assert min(low, division) < 1.1 * right


def test_an_old_noise_after_clipping_does_harm(said):
    assert said["fast-clip-read-good"] > 0.9 > said["fast-clip-read-bad"] + 0.2
    assert said["fast-clip-relative-bad"] > said["fast-clip-relative-good"]


def test_the_peers_samplers_agree_with_ours(said):
    assert said["fast-peer-ddim"] < 1e-4
    assert said["fast-peer-solver"] < 1e-3


def test_the_peers_defaults_are_what_the_page_says(said):
    assert said["fast-peer-first"] == 600
    assert said["fast-peer-gap"] > 1.5 > said["fast-peer-step"] == 1


def test_the_peers_third_order_is_a_second_and_still_better_with_long_steps(said):
    assert said["fast-rival-theirs-power"] < 2.3 < 2.7 < said["fast-rival-ours-power"]
    for n in (20, 40, 80):
        assert said[f"fast-rival-theirs-{n}"] < said[f"fast-rival-ours-{n}"]
    assert said["fast-rival-theirs-320"] > said["fast-rival-ours-320"]
