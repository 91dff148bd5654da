"""Every chapter has the parts that a chapter has (CONTRIBUTING.md lists them), counted in its source."""

import re
import statistics
from functools import cache
from pathlib import Path

import pytest
from gdmbook.chapters import Page, chapters
from gdmbook.claims import claims
from gdmbook.quiz import read_quiz

ROOT = Path(__file__).parents[2]
OTHER_SHAPES = {"index", "slips"}  # pages with code that are no chapters
CHAPTERS = [page for page in chapters(ROOT) if page.path.stem not in OTHER_SHAPES]
PARTS = ["goes wrong", "ecosystem", "summary", "exercises", "further reading"]

each = pytest.mark.parametrize("page", CHAPTERS, ids=lambda page: page.path.stem)


@cache
def cells(page: Page) -> list:
    return page.notebook().cells


def prose(page: Page) -> str:
    return "\n\n".join(cell.source for cell in cells(page) if cell.cell_type == "markdown")


def code(page: Page) -> list:
    return [cell for cell in cells(page) if cell.cell_type == "code"]


@each
def test_promise_has_three_to_five_bullets(page):
    promise = re.search(r"After this chapter you can.*?\n\n((?:[-*] .*(?:\n[ ]+.*)*\n?)+)", prose(page))
    assert promise, "no line “After this chapter you can …” with a list below"
    assert 3 <= len(re.findall(r"^[-*] ", promise[1], re.M)) <= 5


@each
def test_run_time_and_prerequisites_stand_before_the_first_section(page):
    opening = prose(page).split("\n## ")[0]
    assert "```{run-time}" in opening
    assert re.search(r"\]\([^)]+\.md[^)]*\)|\{(doc|ref|eq|numref)\}`", opening), (
        "no link to what a reader needs"
    )


@each
def test_parts_are_there_and_in_order(page):
    headings = [heading.lower() for heading in re.findall(r"^## (.+)$", prose(page), re.M)]
    places = [next((at for at, heading in enumerate(headings) if part in heading), None) for part in PARTS]
    assert None not in places, f"no section on {PARTS[places.index(None)]}"
    assert places == sorted(places)


@each
def test_text_teaches_at_length_and_cites(page):
    assert len(re.findall(r"[A-Za-z]{2,}", prose(page))) >= 1500
    cited = {
        key.strip() for keys in re.findall(r"\{cite[\w:]*\}`([^`]+)`", prose(page)) for key in keys.split(",")
    }
    assert len(cited) >= 3


@each
def test_claims_are_made(page):
    assert len(claims([page])) >= 3


@each
def test_cells_are_short(page):
    lengths = [len([line for line in cell.source.splitlines() if line.strip()]) for cell in code(page)]
    assert statistics.median(lengths) <= 8
    assert max(lengths) <= 25


@each
def test_figures_of_cells_have_name_caption_and_words(page):
    silent = []
    for cell in code(page):
        if "frames(" in cell.source and "from" not in cell.source.split("frames(")[0][-8:]:
            assert re.search(r"\bcaption\s*=", cell.source), cell.source
            assert re.search(r"\balt\s*=", cell.source), cell.source
        elif (mystnb := cell.metadata.get("mystnb")) and "figure" in mystnb:
            figure, image = mystnb["figure"], mystnb.get("image", {})
            if not (figure.get("caption") and figure.get("name") and image.get("alt")):
                silent.append(cell.source)
    assert silent == []


@each
def test_figures_of_the_text_have_words(page):
    for body in re.findall(r"^```\{(?:figure|image)\}(.*?)^```", prose(page), re.S | re.M):
        assert re.search(r"^:?alt:\s*\S", body, re.M), body
    assert not re.search(r"!\[\s*\]\(", prose(page))


@each
def test_one_figure_moves(page):
    assert any("frames(" in cell.source for cell in code(page))


@each
def test_numbers_come_from_the_run(page):
    used = set(re.findall(r"\{glue:text\}`([\w-]+)", prose(page)))
    made = "\n".join(cell.source for cell in code(page))
    assert len(used) >= 3
    assert re.search(r"\b(glue|numbers)\(", made)


@each
def test_a_picture_stands_before_the_promise(page):
    before = prose(page).split("After this chapter you can")[0]
    assert re.findall(r"^```\{opening\} \S+", before, re.M)


@each
def test_a_question_is_asked_before_it_is_answered(page):
    bodies = re.findall(r"^:::\{quiz\}\n(.*?)^:::", prose(page), re.M | re.S)
    assert bodies
    for body in bodies:
        read_quiz(body)


@each
def test_exercises_are_those_of_the_chapter(page):
    names = re.findall(r"^```\{exercises\} (\S+)", prose(page), re.M)
    assert names == [page.path.stem]
    assert (ROOT / f"solutions/{names[0]}.md").is_file()
    assert (ROOT / f"exercises/{names[0]}.ipynb").is_file()
