"""The table of seconds and energy: sums, and networks that count once."""

import re

from gdmbook.compute import rows
from gdmbook.records import Run

from gdmcourse.recipes.cards import WATTS
from tests.book.tiny import ROOT


def run(cpu, **models):
    return Run("", 1.0, cpu, [1.0], 1.0, "", "", models)


def test_a_network_counts_where_it_comes_first():
    found = rows({"One": run(36.0, a=360.0), "Two": run(0.0, a=360.0, b=36.0)}, 10)
    assert found == [("One", "360", "36", "1.1"), ("Two", "36", "0", "0.1"), ("All", "396", "36", "1.2")]


def test_a_chapter_that_was_not_measured_is_named_and_not_summed():
    found = rows({"One": run(36.0, a=360.0), "Two": None}, 10)
    assert found == [
        ("Two", "not measured", "not measured", ""),
        ("One", "360", "36", "1.1"),
        ("All that are measured", "360", "36", "1.1"),
    ]


def test_the_page_assumes_what_the_cards_assume():
    text = (ROOT / "book/judgement/applications.md").read_text()
    assert float(re.search(r"```\{compute\} (\d+)", text)[1]) == WATTS["cpu"]
    assert f"takes {WATTS['cpu']:.0f} watts" in text
