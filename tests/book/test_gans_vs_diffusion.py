"""What the chapter on the comparison says: verdicts against the record, prose against numbers."""

import re
from pathlib import Path

import pytest

from gdmcourse.studies import record
from gdmcourse.studies.claims import CLAIMS
from gdmcourse.studies.verdicts import verdicts
from tests.book.executed import kept

RATES = ("quarter", "one", "four")
PAGE = Path("book/judgement/gans_vs_diffusion.md")


@pytest.fixture(scope="module")
def said():
    return kept("book/judgement/gans_vs_diffusion")


def test_the_page_has_every_claim_in_the_words_of_the_file():
    rows = re.findall(r"^\| (\d+) \| (.+?) \| (\d+) \|$", PAGE.read_text(), re.M)
    assert [(int(number), text, int(key)) for number, text, key in rows] == [
        (claim.number, claim.says, claim.number) for claim in CLAIMS
    ]


def test_no_verdict_is_typed_into_the_table():
    table = PAGE.read_text().split("```{scores} gvd-verdict-of")[1].split("```")[0]
    assert not re.search(r"holds|not hold|testable", table)


def test_every_verdict_is_the_one_of_the_records(said):
    for verdict in verdicts():
        word = said[f"gvd-verdict-of-{verdict.claim.number}-word"]
        assert word.split(":")[0] == verdict.word
        assert all(condition in word for condition in verdict.conditions) or verdict.word != "holds when"
    words = [verdict.word for verdict in verdicts()]
    assert said["gvd-count-holds"] == words.count("holds")
    assert said["gvd-count-open"] == words.count("not testable at this size")
    assert sum(said[f"gvd-count-{name}"] for name in ("holds", "when", "no", "open")) == 19


def test_the_tests_can_pass_holms_correction_with_ten_seeds(said):
    assert said["gvd-count-tests"] * 2 / 2**10 <= 0.05


def test_every_chosen_configuration_has_run_with_equal_operations():
    study, search = record("gans_vs_diffusion"), record("equal_search")
    seeds = {}
    for row in study["rows"]:
        if row["kind"] == "run":
            assert row["changes"] == search["chosen"][row["family"]]
            assert row["flops"] == pytest.approx(study["flops"], rel=0.02)
            assert row["machine"]
            seeds.setdefault(row["family"], []).append(row["seed"])
    assert len(seeds) == 5
    for found in seeds.values():
        assert sorted(found) == list(range(len(found)))  # none lost, none twice
        assert len(found) == 10


def test_every_family_was_searched_as_long():
    search = record("equal_search")
    trials = {}
    for row in search["rows"]:
        assert row["flops"] == pytest.approx(search["flops"], rel=0.02)
        trials.setdefault(row["family"], []).append(row["trial"])
    assert all(sorted(found) == list(range(search["trials"])) for found in trials.values())


def test_a_gan_gains_more_by_the_search_than_a_flow(said):
    assert said["gvd-gain-gain-gan"] > 1.5 * said["gvd-gain-gain-flow"]
    assert said["gvd-search-best-gan-one"] > 1.4 * said["gvd-search-best-ddpm-one"]
    assert 0.7 < said["gvd-search-best-gan-all"] / said["gvd-search-best-ddpm-all"] < 1.4


def test_floors(said):
    assert said["gvd-floor-least-5"] == 0.0625 > 0.05 > said["gvd-floor-least-6"]


def test_diffusion_leads_early_and_all_are_near_at_the_end(said):
    assert said["gvd-ends-early"] > 1.5
    assert said["gvd-ends-apart"] < 2
    families, at = ("gan", "wgan-gp", "ddpm", "flow", "vae"), "gvd-quality-at-"
    for name in families:
        ends = [said[f"{at}{name}-{share}"] for share in ("0.125", "0.25", "0.5", "1")]
        assert ends == sorted(ends, reverse=True)
        assert ends[-1] > 3 * said["gvd-quality-reference-real"]
    fall = {name: said[f"{at}{name}-0.125"] / said[f"{at}{name}-1"] for name in families}
    assert min(fall["gan"], fall["wgan-gp"]) > max(fall["ddpm"], fall["flow"], fall["vae"])
    models = [said[f"{at}{name}-1"] for name in families]
    assert said["gvd-quality-reference-memoriser"] < min(models)
    assert said["gvd-quality-reference-one-by-one"] > max(models)


def test_the_ranking_turns_with_the_features(said):
    assert said["gvd-two-classifier"] < 1 < said["gvd-two-pixels"]
    two = next(verdict for verdict in verdicts() if verdict.claim.number == 5).findings
    assert two[0].paired.high < 0 < two[1].paired.low


def test_the_search_missed_a_better_gan_and_only_slow_gans_fail(said):
    assert said["gvd-moved-gan-four"] < 0.8 * said["gvd-moved-gan-one"]
    assert said["gvd-moved-ddpm-four"] > 1.2 * said["gvd-moved-ddpm-one"]
    assert said["gvd-moved-gan-quarter"] / said["gvd-moved-gan-one"] > 2
    assert said["gvd-moved-ddpm-quarter"] / said["gvd-moved-ddpm-one"] < 1.3
    shown = {(of, rate): said[f"gvd-failed-of-{of}-{rate}"] for of in ("gan", "ddpm") for rate in RATES}
    assert shown.pop(("gan", "quarter")) not in ("0 of 10", "10 of 10")
    assert set(shown.values()) == {"0 of 10"}


def test_neither_is_sharp_on_the_grid_and_nobody_copies(said):
    assert said["gvd-near-of-flow"] < said["gvd-near-of-gan"] < 0.15
    assert said["gvd-copies-most"] == 0
    memorised = [row for row in record("gans_vs_diffusion")["rows"] if row.get("rule") == "memoriser"]
    assert all(row["copies"] == 1 for row in memorised)
    assert len(memorised) == 10


def test_four_evaluations_do_what_one_cannot_and_many_add_little(said):
    of = {n: said[f"gvd-ladder-of-ddpm-ddim-{n}"] for n in (1, 2, 4, 8, 16)}
    assert of[1] > 5 * of[4]
    assert of[8] < 1.2 * of[16]
    assert said["gvd-ladder-of-ddpm-ancestral-100"] > 0.8 * said["gvd-ladder-of-ddpm-dpm-10"]


def test_luck_and_the_peer(said):
    assert 0.1 < said["gvd-luck-ten"] < 0.2
    for end in (0, 1):
        assert said[f"gvd-peer-mine-{end}"] == pytest.approx(said[f"gvd-peer-student-{end}"], abs=1e-9)
    mine = said["gvd-peer-mine-1"] - said["gvd-peer-mine-0"]
    assert said["gvd-peer-boot-1"] - said["gvd-peer-boot-0"] < mine
