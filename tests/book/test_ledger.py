"""The ledger, both ways: each claim of the book has a test, and each marked test has its claim."""

from collections import Counter
from pathlib import Path

import pytest
from gdmbook.chapters import Page, pages
from gdmbook.claims import claims, labelled, marked_tests

ROOT = Path(__file__).parents[2]
CLAIMS = claims(pages(ROOT))
TESTS = marked_tests(ROOT / "tests")


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.label)
def test_claim_is_checked_by_a_test(claim):
    checked = [test.name for test in TESTS if claim.label in test.labels]
    assert checked, f'{claim.page.name}: mark a test with @pytest.mark.equation("{claim.label}")'


def test_marks_name_claims_that_are_there():
    known = {claim.label for claim in CLAIMS}
    strays = {
        f"{test.path.relative_to(ROOT)}::{test.name}: {label}"
        for test in TESTS
        for label in test.labels
        if label not in known
    }
    assert not strays, "tests name equations that no page states"


def test_a_label_is_said_once():
    counts = Counter(label for page in pages(ROOT) for label, _ in labelled(page.text))
    assert {label for label, count in counts.items() if count > 1} == set()


def _page(folder: Path, text: str) -> Page:
    (folder / "page.md").write_text(text)
    return Page(folder, "page")


def test_claims_are_read_from_both_ways_of_writing_them(tmp_path):
    page = _page(
        tmp_path,
        "$$ a = b $$\n\n$$\nc = d\n$$ (eq-dollars)\n\n"
        "```{math}\n:label: eq-directive\n\ne = f\n```\n\n$$ g $$ (def-g)\n",
    )
    assert [(claim.label, claim.formula) for claim in claims([page])] == [
        ("eq-dollars", "c = d"),
        ("eq-directive", "e = f"),
    ]


@pytest.mark.parametrize("fence", [":::", "```"])
def test_claims_are_read_within_a_directive(tmp_path, fence):
    page = _page(tmp_path, f"{fence}{{note}}\nSee\n\n$$\na\n$$ (eq-inside)\n{fence}\n\n$$ b $$ (eq-after)\n")
    assert [claim.label for claim in claims([page])] == ["eq-inside", "eq-after"]


def test_dollars_in_code_are_no_claim(tmp_path):
    page = _page(tmp_path, "```{code-cell} ipython3\nprint('$$ x $$ (eq-code)')\n```\n\n$$ y $$ (eq-prose)\n")
    assert [claim.label for claim in claims([page])] == ["eq-prose"]


def test_marks_are_found_on_functions_classes_modules_and_cases(tmp_path):
    (tmp_path / "test_marks.py").write_text(
        'pytestmark = pytest.mark.equation("eq-module")\n'
        '@pytest.mark.equation("eq-a", "eq-b")\n'
        "def test_function(): ...\n"
        '@pytest.mark.equation("eq-class")\n'
        "class TestAll:\n"
        '    @pytest.mark.parametrize("x", [pytest.param(1, marks=pytest.mark.equation("eq-case"))])\n'
        "    def test_method(self, x): ...\n"
        "def helper(): ...\n"
    )
    found = {test.name: set(test.labels) for test in marked_tests(tmp_path)}
    assert found == {
        "test_function": {"eq-module", "eq-a", "eq-b"},
        "test_method": {"eq-module", "eq-class", "eq-case"},
    }
    assert marked_tests(tmp_path)[0].source.startswith("@pytest.mark.equation")


def test_unmarked_tests_are_no_check(tmp_path):
    (tmp_path / "test_other.py").write_text("def test_plain():\n    equation('eq-a')\n")
    assert marked_tests(tmp_path) == []
