"""What the chapter on guidance says of its own run and of the record, in numbers."""

import pytest
import torch
from scipy.stats import t as student

from gdmcourse.studies import record
from tests.book.executed import kept


@pytest.fixture(scope="module")
def said():
    return kept("book/diffusion/guidance")


def test_the_dial_deserts_a_group_and_pushes_the_other_off_its_centre(said):
    assert said["gui-dial-right-1"] > 0.4 > 0.2 > said["gui-dial-right-8"]
    assert said["gui-dial-off"] > 1
    assert said["gui-dial-share-0"] < said["gui-dial-share-1"] < said["gui-dial-share-8"]
    assert said["gui-dial-share-1"] == pytest.approx(said["gui-dial-blue"], abs=0.05)


@pytest.mark.parametrize("T", [40, 200, 1000])
def test_the_exact_shift_is_the_best(said, T):
    derived, sampled, exact = (said[f"gui-shift-{way}-{T}"] for way in ("derived", "sampled", "exact"))
    assert derived > sampled > 3 * exact


def test_a_sharpened_classifier_is_content_once_it_is_sure(said):
    assert said["gui-pull-scaled"] > 300 * said["gui-pull-sharpened"]


@pytest.mark.parametrize("scale", [1, 2, 4])
def test_the_measured_variances_are_those_of_the_formula(said, scale):
    r, rho = 0.5, 1 / 3
    assert said[f"gui-measured-{scale}-0"] == pytest.approx(rho**scale, rel=0.15)
    expected = r * (1 - rho ** (2 * scale - 1)) / (2 * scale - 1)
    assert said[f"gui-measured-{scale}-1"] == pytest.approx(expected, rel=0.15)


def test_guided_samples_are_narrower_than_the_tilted_law(said):
    assert said["gui-law-ODE"] < said["gui-law-SDE"] < said["gui-law-tilted"]
    assert said["gui-four-ODE"] < said["gui-four-SDE"] < said["gui-four-tilted"]


def test_two_softer_ways_keep_more_of_a_group(said):
    assert said["gui-softer-middle"] > said["gui-dial-right-8"] + 0.08
    assert said["gui-softer-worse"] == pytest.approx(0.5, abs=0.1)
    assert said["gui-softer-spread"] == pytest.approx(said["gui-softer-formula"], abs=0.05)


def test_the_classifier_that_knows_noise_reads_and_points_better(said):
    assert said["gui-exam-noisy-accuracy"] > said["gui-exam-clean-accuracy"] + 0.1
    assert said["gui-exam-noisy-cosine"] > 1.3 * said["gui-exam-clean-cosine"]


def test_the_small_sweep_shows_what_the_text_says(said):
    live = {name: said[f"gui-live-{name}-accuracy"] for name in ("none-0", "free-1", "noisy-3", "clean-3")}
    assert live["none-0"] < 0.3 < 0.9 < live["free-1"]
    assert live["noisy-3"] > live["clean-3"]
    assert said["gui-live-free-10-spread"] < said["gui-live-free-1-spread"]


def test_the_errors_of_the_last_sections_show(said):
    assert said["gui-wild-1"] < said["gui-wild-3"] < said["gui-wild-10"]
    assert said["gui-null-3"] > said["gui-live-free-3-frechet"]
    assert said["gui-null-0"] > said["gui-live-none-0-frechet"]
    assert said["gui-sign"] < 0.1


# The verdicts on the sources' claims, from the record.


def rows_of(way):
    found = {}
    start = ("free", 1.0) if way in ("middle", "worse") else ("none", 0.0)  # where some ways agree
    for row in record("guidance_scale")["rows"]:
        if row["way"] == way or (row["way"], row["scale"]) == start:
            found.setdefault(row["scale"], []).append(row)
    return found


TABLE = {way: rows_of(way) for way in ("free", "noisy", "clean", "middle", "worse")}


def interval(values):
    """Mean and half of Student's 95 % interval over seeds."""
    values = torch.tensor(values, dtype=torch.float64)
    half = student.ppf(0.975, len(values) - 1) * values.std() / len(values) ** 0.5
    return float(values.mean()), float(half)


def below(one, other, measure):
    """Whether `one` lies below `other`, by the interval of their difference within a seed."""
    pairs = zip(*[TABLE[way][scale] for way, scale in (one, other)], strict=True)
    mean, half = interval([a[measure] - b[measure] for a, b in pairs])
    return mean + half < 0


def best(way):
    return min(
        TABLE[way], key=lambda scale: interval([r["frechet"] / r["reference"] for r in TABLE[way][scale]])[0]
    )


def test_self_guidance_has_a_best_scale_and_the_classifier_has_none_up_to_the_last():
    top = max(TABLE["free"])
    assert best("free") <= 1.5
    assert 2 <= best("noisy") <= 10
    assert below(("free", best("free")), ("free", 2.0), "frechet")
    assert below(("noisy", best("noisy")), ("noisy", 1.5), "frechet")
    assert not below(("noisy", best("noisy")), ("noisy", top), "frechet")


@pytest.mark.parametrize("way", ["free", "noisy"])
def test_guidance_that_works_lowers_the_distance_and_the_diversity(way):
    assert below((way, best(way)), (way, 0.0), "frechet")
    assert below((way, 10.0), (way, 1.0), "recall")
    assert below((way, 10.0), (way, 1.0), "spread")


def test_the_network_that_is_told_beats_the_classifier():
    assert below(("free", 1.0), ("noisy", best("noisy")), "frechet")
    assert below(("noisy", 1.0), ("noisy", 10.0), "precision")


@pytest.mark.parametrize("scale", [3.0, 10.0])
def test_in_the_middle_alone_guidance_keeps_more_of_the_variety(scale):
    assert below(("middle", scale), ("free", scale), "frechet")
    assert below(("free", scale), ("middle", scale), "recall")
    accuracy, _ = interval([row["accuracy"] for row in TABLE["middle"][scale]])
    assert accuracy > 0.97


def test_a_worse_self_keeps_variety_too_and_makes_no_better_pictures():
    assert below(("free", 2.0), ("worse", 2.0), "recall")
    assert below(("worse", 3.0), ("worse", 1.0), "precision")
    assert below(("worse", 1.0), ("worse", 3.0), "frechet")


def test_a_classifier_that_never_saw_noise_does_not_guide():
    assert not any(below(("clean", scale), ("clean", 0.0), "frechet") for scale in TABLE["clean"])
    assert below(("clean", 10.0), ("noisy", 1.0), "accuracy")
