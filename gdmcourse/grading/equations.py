"""The numbers that a page's equations have in the rendered book, read from its sources."""

import re
from pathlib import Path

LABEL = re.compile(r"^\$\$ *\((?P<label>[\w-]+)\)\s*$", re.MULTILINE)


def numbers(root: Path, page: str) -> dict[str, str]:
    """The number of each labelled equation of a page, such as ``3.9``; ``page`` is without its ending.

    Equations are counted on the page, behind the chapter's number where its part of ``_toc.yml`` has numbers.
    """
    chapter = _chapters(root).get(page)
    labels = LABEL.findall((root / f"{page}.md").read_text(encoding="utf-8"))
    before = f"{chapter}." if chapter else ""
    return {label: f"{before}{count}" for count, label in enumerate(labels, 1)}


def _chapters(root: Path) -> dict[str, int]:
    """The chapters that have a number, in the order of the table of contents."""
    toc = root / "_toc.yml"
    if not toc.exists():
        return {}
    chapters: dict[str, int] = {}
    for part in toc.read_text(encoding="utf-8").split("- caption:")[1:]:
        if re.search(r"^ *numbered: true", part, re.MULTILINE):
            for page in re.findall(r"- file: (\S+)", part):
                chapters[page] = len(chapters) + 1
    return chapters
