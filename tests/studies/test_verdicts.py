"""The rule by which claims are judged, on records that are made up, and that every claim can be filled."""

import math

import pytest

from gdmcourse.metrics.comparison import Paired
from gdmcourse.studies.claims import CLAIMS, Claim
from gdmcourse.studies.evidence import Contrast, claim_2, finals, log_ratio, worst
from gdmcourse.studies.evidence_recall import matched_recall
from gdmcourse.studies.verdicts import (
    EVIDENCE,
    HOLDS,
    NOT,
    OPEN,
    UNSEEN,
    WHEN,
    Finding,
    Verdict,
    _adjusted,
    _numbers,
    state,
    through,
    verdicts,
    word,
)

SURE = tuple(1 + 0.01 * i for i in range(10))


def judged(differences, margin=0.1, adjusted=0.01, counted=False):
    contrast = Contrast("c", tuple(differences), counted)
    return state(contrast, _numbers(contrast), adjusted, margin)


def test_there_are_nineteen_claims_and_evidence_for_each():
    assert [claim.number for claim in CLAIMS] == list(range(1, 20)) == sorted(EVIDENCE)
    assert all(claim.margin >= 0 and claim.says and claim.measure for claim in CLAIMS)


def test_the_state_of_a_contrast():
    assert judged(SURE) == "yes"
    assert judged(SURE, adjusted=0.06) == "open"
    assert judged([-value for value in SURE]) == "no"
    assert judged([0.01, -0.01] * 5) == "no"  # sure to be smaller than the margin
    assert judged([1.0, -1.0] * 5) == "open"
    assert judged(SURE[:5]) == "open"  # five seeds can't
    assert judged([-value for value in SURE[:5]]) == "open"
    assert judged(SURE[:6], adjusted=math.nan) == "open"  # six can deny, not confirm
    assert judged([-value for value in SURE[:6]], adjusted=math.nan) == "no"
    assert judged([2.0], counted=True) == "yes"
    assert judged([0.05], counted=True) == "no"
    assert judged([2.0]) == "open"


def found(*states):
    numbers = _numbers(Contrast("", (0.0, 0.0)))
    return [Finding(Contrast(str(i), (0.0, 0.0)), numbers, 1.0, each) for i, each in enumerate(states)]


@pytest.mark.parametrize(
    ("states", "some", "every"),
    [
        (("yes", "yes"), HOLDS, HOLDS),
        (("yes", "no"), WHEN, NOT),
        (("yes", "open"), WHEN, OPEN),
        (("no", "open"), OPEN, NOT),
        (("no", "no"), NOT, NOT),
        (("open", "open"), OPEN, OPEN),
        ((), UNSEEN, UNSEEN),
    ],
)
def test_the_word_of_a_claim(states, some, every):
    assert word(Claim(1, "", "", 0.0), found(*states)) == some
    assert word(Claim(1, "", "", 0.0, needs="all"), found(*states)) == every


def test_the_conditions_are_those_that_confirm():
    assert Verdict(CLAIMS[0], WHEN, tuple(found("yes", "no", "yes"))).conditions == ("0", "2")


def run(family, seed, distance, *points):
    """A run with one draw at each share, and precision with recall at three temperatures."""
    how = {"sampler": "pass", "evaluations": 1, "draw": 0, "frechet": distance}
    how["frechet_pixels"] = distance / 2
    scores = [how | {"share": 0.125, "temperature": 1.0, "precision": 0, "recall": 0}]
    for heat, (precision, recall) in zip((1.0, 0.8, 0.6), points, strict=False):
        scores.append(how | {"share": 1.0, "temperature": heat, "precision": precision, "recall": recall})
    return {"kind": "run", "family": family, "seed": seed, "scores": scores}


def test_a_failed_run_has_the_distance_of_pixels_drawn_one_by_one():
    rows = [
        {"kind": "reference", "rule": "one by one", "seed": 0, "frechet": 80.0, "frechet_pixels": 30.0},
        run("gan", 0, 4.0, (0.5, 0.5)),
        {"kind": "run", "family": "gan", "seed": 1, "scores": [], "error": "not finite"},
    ]
    assert worst(rows) == 80
    assert finals(rows, "gan") == {0: 4.0, 1: 80.0}
    assert finals(rows, "gan", "frechet_pixels") == {0: 2.0, 1: 30.0}
    assert finals(rows, "gan", "recall") == {0: 0.5}
    assert log_ratio(finals(rows, "gan"), {0: 2.0, 1: 8.0, 2: 1.0}) == [math.log(2), math.log(10)]
    with pytest.raises(ValueError, match="no row has pixels drawn one by one"):
        finals(rows[1:], "gan")


def test_a_missing_row_does_not_shift_the_seeds():
    """Seed 1 of the DDPM has no run at the wrong rate: the pairs are those of the other seeds."""
    rows = [run(name, seed, 10.0, (0.5, 0.5)) for name in ("gan", "ddpm") for seed in range(3)]
    far = {"gan": (20.0, 40.0, 80.0), "ddpm": (10.0, None, 20.0)}
    for name, distances in far.items():
        for seed, distance in enumerate(distances):
            row = {
                "kind": "rate",
                "family": name,
                "rate": 4.0,
                "seed": seed,
                "scores": [{"frechet": distance}],
            }
            rows += [row] if distance else []
    (found,) = claim_2(rows)
    assert found.differences == pytest.approx((math.log(2), math.log(4)))


def test_recall_is_compared_at_one_precision():
    rows = [
        run("ddpm", 0, 1.0, (0.5, 0.9), (0.7, 0.7), (0.9, 0.5)),
        run("gan", 0, 1.0, (0.6, 0.6), (0.7, 0.5), (0.8, 0.4)),
    ]
    assert matched_recall(rows, "ddpm", "gan") == pytest.approx([0.6 - 0.4])  # at 0.8, between the DDPM's


def test_curves_without_a_common_precision_are_not_compared():
    """The lower curve ends where the other begins: an interpolation would be a guess."""
    rows = [run("ddpm", 0, 1.0, (0.6, 0.9), (0.7, 0.7)), run("gan", 0, 1.0, (0.3, 0.8), (0.4, 0.6))]
    assert matched_recall(rows, "ddpm", "gan") == []


def test_only_tests_with_enough_seeds_are_corrected_for():
    """Claims without rows aren't measured, three seeds are no test, and a strong effect passes all others."""
    distance = {"gan": 20.0, "ddpm": 10.0}
    rows = [
        run(name, seed, distance[name] + 0.1 * seed, (0.5, 0.5)) for seed in range(10) for name in distance
    ]
    for row in rows:
        row |= {"cpu_seconds": 1.0, "steps": 10, "changes": {"batch_size": 4}}
    few = [
        {"seed": seed, "loss": loss, "moves": moves, "weights": weights}
        for seed in range(3)
        for loss, moves, weights in (
            ("saturating", 16, 1.0),
            ("saturating", 99, 0.01),
            ("wasserstein", 99, 1.0),
        )
    ]
    records = {claim.record: {"rows": []} for claim in CLAIMS}
    records |= {"gans_vs_diffusion": {"rows": rows}, "sure_critic": {"rows": few}}
    by_number = {v.claim.number: v for v in verdicts(lambda name: records[name])}
    assert by_number[5].word == HOLDS
    assert by_number[6].word == NOT
    assert by_number[3].word == UNSEEN
    assert by_number[16].word == OPEN
    assert [math.isnan(each.adjusted) for each in by_number[16].findings] == [True, True]
    tested = {n: len(v.findings) for n, v in by_number.items() if v.findings and n != 16}
    assert tested == {4: 2, 5: 2, 6: 1, 18: 1}
    # claim 4 needs both of its conditions, and is one test
    assert min(each.adjusted for each in by_number[5].findings) == pytest.approx(5 * 2 / 1024)


def numbered(n, p_value):
    return Contrast(str(p_value), (1.0,) * n), Paired(1.0, 0.5, 1.5, p_value)


def test_a_claim_that_needs_all_of_its_conditions_has_their_largest_p():
    """Four tests: 0.04, that of the first claim, is the last in Holm's order; too few seeds have no part."""
    every, some = Claim(1, "", "", 0.0, needs="all"), Claim(2, "", "", 0.0)
    short = Claim(3, "", "", 0.0, needs="all")
    table = [
        (every, *numbered(10, 0.001)),
        (some, *numbered(10, 0.01)),
        (every, *numbered(10, 0.04)),
        (some, *numbered(10, 0.002)),
        (some, *numbered(9, 0.003)),
        (short, *numbered(10, 0.001)),
        (short, *numbered(6, 0.001)),
        (short, Contrast("", (1.0,), counted=True), Paired(1.0, 1.0, 1.0, 1.0)),
        (every, Contrast("", (1.0,), counted=True), Paired(1.0, 1.0, 1.0, 1.0)),
    ]
    found = _adjusted([(claim, each) for claim, each, _ in table], [numbers for _, _, numbers in table])
    assert found == pytest.approx({0: 0.04, 1: 0.02, 2: 0.04, 3: 0.006})


def test_a_record_is_seen_through_another_distance():
    scores = [{"frechet": 1.0, "frechet_pixels": 2.0}, {"frechet": None, "copies": None}]
    rows = [{"kind": "run", "scores": scores}, {"kind": "reference", "frechet": 3.0, "frechet_pixels": 4.0}]
    seen = through("frechet_pixels", lambda name: {"rows": rows, "name": name})("x")
    assert [each["frechet"] for each in seen["rows"][0]["scores"]] == [2.0, None]
    assert seen["rows"][1]["frechet"] == 4.0
    assert seen["name"] == "x"
    assert rows[0]["scores"][0]["frechet"] == 1.0  # as it was
    kept = through("frechet", lambda name: {"rows": rows})("x")
    assert kept == {"rows": rows}
