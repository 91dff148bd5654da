"""The numbers that equations have in the rendered book, read from its sources."""

import re
from pathlib import Path

LABEL = re.compile(r"^\$\$ *\((?P<label>[\w-]+)\)\s*$", re.MULTILINE)


def numbers(root: Path) -> dict[str, tuple[str, str]]:
    """The page (without its ending) and the number of each labelled equation, such as ``3.9``.

    Equations are counted on their page, behind the chapter's number where ``_toc.yml`` gives it one.
    """
    chapters = _chapters(root)
    places = {}
    for path in sorted((root / "book").rglob("*.md")):
        page = path.relative_to(root).with_suffix("").as_posix()
        before = f"{chapters[page]}." if page in chapters else ""
        for count, label in enumerate(LABEL.findall(path.read_text(encoding="utf-8")), 1):
            places[label] = (page, f"{before}{count}")
    return places


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
