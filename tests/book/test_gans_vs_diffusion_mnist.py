"""What the comparison's page says of MNIST, against the record of the study."""

from statistics import fmean

import pytest

from gdmcourse.studies import record
from tests.book.executed import kept


@pytest.fixture(scope="module")
def said():
    return kept("book/judgement/gans_vs_diffusion")


@pytest.fixture(scope="module")
def rows():
    return record("gans_vs_diffusion_mnist")["rows"]


def runs(rows, family):
    return sorted((row for row in rows if row.get("family") == family), key=lambda row: row["seed"])


def at_end(row, score):
    return fmean(each[score] for each in row["scores"] if each["share"] == 1)


def test_the_table_is_the_means_of_the_record(rows, said):
    for family in ("gan", "ddpm"):
        of = runs(rows, family)
        assert [row["seed"] for row in of] == list(range(3))
        assert all(sum(each["share"] == 1 for each in row["scores"]) == 3 for row in of)
        for score in ("relative", "precision", "recall"):
            mean = fmean(at_end(row, score) for row in of)
            assert said[f"gvm-of-{family}-{score}"] == pytest.approx(mean)
    for rule in ("real", "memoriser", "one by one"):
        mean = fmean(row["relative"] for row in rows if row.get("rule") == rule)
        assert said[f"gvm-of-{rule.replace(' ', '-')}-relative"] == pytest.approx(mean)


def test_the_gan_is_ahead_at_the_end_in_each_seed_and_real_images_are_far_ahead_of_both(rows, said):
    ratios = [
        at_end(ddpm, "relative") / at_end(gan, "relative")
        for gan, ddpm in zip(runs(rows, "gan"), runs(rows, "ddpm"), strict=True)
    ]
    assert said["gvm-least"] == pytest.approx(min(ratios))
    assert said["gvm-most"] == pytest.approx(max(ratios))
    assert min(ratios) > 1.2
    real = fmean(row["relative"] for row in rows if row.get("rule") == "real")
    assert real > 1
    assert 3 * real < min(at_end(row, "relative") for row in runs(rows, "gan"))


def test_early_neither_is_far_ahead_and_budgets_are_equal(rows, said):
    early = {f: fmean(row["scores"][0]["relative"] for row in runs(rows, f)) for f in ("gan", "ddpm")}
    assert {row["scores"][0]["share"] for f in early for row in runs(rows, f)} == {0.125}
    assert said["gvm-early"] == pytest.approx(early["ddpm"] / early["gan"])
    assert 0.8 < said["gvm-early"] < 1.25
    spent = [row["flops"] for f in early for row in runs(rows, f)]
    assert max(spent) < 1.01 * min(spent)
    longer = record("ddpm_mnist")["cpu_seconds"] / fmean(row["cpu_seconds"] for row in runs(rows, "ddpm"))
    assert said["gvm-longer"] == pytest.approx(longer)
