"""What frames the book: the table of chapters, the routes, the glossary, the licences and the citation."""

import re
import tomllib
from pathlib import Path

import pytest
import yaml

import gdmcourse

ROOT = Path(__file__).parents[1]
INDEX = (ROOT / "book/start/index.md").read_text()
HOW_TO = (ROOT / "book/start/how_to.md").read_text()
TOC = yaml.safe_load((ROOT / "_toc.yml").read_text())
PAGES = [chapter["file"] for part in TOC["parts"] for chapter in part["chapters"]]
FRAME = ("book/start/", "book/teaching/", "book/back/")
CHAPTERS = [page for page in PAGES if not page.startswith(FRAME)]


def links(text: str) -> set[str]:
    """The pages that a page of book/start/ links to, as _toc.yml names them."""
    found = re.findall(r"\]\(([\w./-]+)\.md\)", text)
    return {str((ROOT / "book/start" / target).resolve().relative_to(ROOT)) for target in found}


@pytest.mark.parametrize("page", PAGES)
def test_the_index_links_every_page(page):
    assert page in links(INDEX)


def test_the_index_links_no_page_that_is_not_there():
    assert links(INDEX) | links(HOW_TO) <= {*PAGES, TOC["root"]}


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_the_long_route_leads_through_every_chapter_that_is_written(chapter):
    assert chapter in links(HOW_TO.split("### Twelve weeks")[1])


def test_the_routes_have_their_weeks():
    _, six, twelve = re.split(r"^### (?:Six|Twelve) weeks", HOW_TO, flags=re.M)
    assert [int(week) for week in re.findall(r"^\| (\d+) \|", six, re.M)] == [*range(1, 7)]
    assert [int(week) for week in re.findall(r"^\| (\d+) \|", twelve, re.M)] == [*range(1, 13)]


def test_the_glossary_defines_each_word_once():
    text = (ROOT / "book/back/glossary.md").read_text()
    blocks = re.findall(r"^```\{glossary\}\n(?::sorted:\n)?(.*?)^```", text, re.S | re.M)
    terms = [line for block in blocks for line in block.splitlines() if line and not line.startswith(" ")]
    assert len(terms) == len({term.lower() for term in terms})
    assert len(terms) >= 60


def test_the_citation_is_of_this_version_under_these_licences():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert citation["version"] == gdmcourse.__version__ == project["version"]
    assert " AND ".join(citation["license"]) == project["license"]
    assert citation["title"].startswith(yaml.safe_load((ROOT / "_config.yml").read_text())["title"])


def test_the_licences_name_themselves():
    assert (ROOT / "LICENSE").read_text().startswith("BSD 3-Clause License")
    assert "CC BY 4.0" in (ROOT / "LICENSE-TEXT").read_text()


@pytest.mark.parametrize("document", ["README.md", "CONTRIBUTING.md"])
def test_the_files_that_are_named_exist(document):
    text = (ROOT / document).read_text()
    targets = re.findall(r"\]\(([\w./-]+)\)", text)
    named = re.findall(r"`((?:book|gdmcourse|tests|solutions|exercises)/[\w./-]*\w)`", text)
    missing = [name for name in {*targets, *named} if not (ROOT / name).exists()]
    assert missing == []
