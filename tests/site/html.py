"""The built pages as they are read, each once."""

from functools import cache
from pathlib import Path

from bs4 import BeautifulSoup


@cache
def soup(path: Path) -> BeautifulSoup:
    """A page; who changes it changes a copy."""
    return BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")
