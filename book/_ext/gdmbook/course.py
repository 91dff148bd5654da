"""The course as a teacher plans it, read from its sources: chapters, what each builds on, exercises, weeks.

A chapter builds on the pages that it names between "You need" and its `{run-time}`; its points stand in
`solutions/`, and the weeks of a route in a table of `book/start/how_to.md`.
"""

import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from gdmbook.chapters import Page, pages
from gdmbook.claims import labelled
from gdmcourse.grading.exercise import Exercise
from gdmcourse.grading.source import read_source

ROUTES = "book/start/how_to"
POINT = 6  # minutes a point: ten points an hour
_NEEDS = re.compile(r"^You need .*?(?=^```\{run-time\})", re.S | re.M)
_LINK = re.compile(r"\[[^\]]*\]\(([\w./-]+?)(?:\.md)?(?:#[\w-]+)?\)")
_ROUTE = re.compile(r"^```\{route\} (\S+)\n(.*?)^```$", re.S | re.M)
_ROW = re.compile(r"^\| *(\d+) *\|(.*)\|$")


@dataclass(frozen=True)
class Week:
    """A week of a route, and the chapters that it links."""

    number: int
    chapters: tuple[str, ...]


def course(root: Path) -> list[Page]:
    """Return the chapters in reading order: the pages that say how long they run."""
    return [page for page in pages(root) if "\n```{run-time}" in page.text]


def titles(root: Path) -> dict[str, str]:
    """Return the chapters' titles by their names, each up to its first comma."""
    return {page.name: page.title.partition(",")[0] for page in course(root)}


def builds_on(root: Path) -> dict[str, list[str]]:
    """Return for each chapter the names of those that it says a reader needs, in reading order."""
    chapters = course(root)
    homes = {label: page.name for page in chapters for label, _ in labelled(page.text)}
    found = {}
    for page in chapters:
        needs = _NEEDS.search(page.text)
        said = needs[0] if needs else ""
        named = {*linked(said, page.name)} | {
            homes.get(label) for label in re.findall(r"\{eq\}`([\w-]+)`", said)
        }
        found[page.name] = [other.name for other in chapters if other.name in named and other != page]
    return found


def linked(text: str, page: str) -> list[str]:
    """Return the pages that Markdown on `page` links, as `_toc.yml` names them."""
    here = posixpath.dirname(page)
    return [posixpath.normpath(posixpath.join(here, target)) for target in _LINK.findall(text)]


def exercises(root: Path, chapter: str) -> Exercise | None:
    """Return the exercises of a chapter, or None where there are none."""
    source = root / "solutions" / f"{posixpath.basename(chapter)}.md"
    return read_source(source) if source.is_file() else None


def minutes(points: float) -> int:
    """Return how long so many points of exercises take."""
    return round(POINT * points)


def weeks(root: Path, route: str) -> list[Week]:
    """Return the weeks of a route; raises KeyError for one that how_to does not have."""
    tables = dict(_ROUTE.findall((root / f"{ROUTES}.md").read_text(encoding="utf-8")))
    return list(rows(tables[route].splitlines(), ROUTES, {page.name for page in course(root)}))


def rows(lines: list[str], page: str, chapters: set[str]) -> Iterator[Week]:
    """Yield the weeks of a table's lines."""
    for line in lines:
        if row := _ROW.match(line):
            yield Week(int(row[1]), tuple(name for name in linked(row[2], page) if name in chapters))
