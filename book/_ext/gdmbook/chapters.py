"""The pages of the book, as `_toc.yml` lists them, and their code as notebooks."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml
from myst_nb.core.read import is_myst_markdown_notebook, read_myst_markdown_notebook
from myst_parser.config.main import MdParserConfig
from nbformat import NotebookNode

ROOT = Path(__file__).resolve().parents[3]


@dataclass(frozen=True)
class Page:
    """One page: `name` is its path under `root` without the suffix, as in `_toc.yml`."""

    root: Path
    name: str

    def __str__(self) -> str:
        """The name."""
        return self.name

    @property
    def path(self) -> Path:
        """The file with the page's text."""
        return self.root / f"{self.name}.md"

    @cached_property
    def text(self) -> str:
        """The page's MyST Markdown."""
        return self.path.read_text(encoding="utf-8")

    @property
    def title(self) -> str:
        """The first heading, or the file's name where there is none."""
        heading = re.search(r"^# (.+)$", self.text, re.M)
        return heading[1].strip() if heading else self.path.stem

    @property
    def is_notebook(self) -> bool:
        """Whether the page has code to execute: its front matter says so."""
        return is_myst_markdown_notebook(self.text)

    def notebook(self) -> NotebookNode:
        """Return the page as a notebook without outputs, read as the renderer reads it.

        The metadata's `source_map` holds the line at which each cell starts.
        """
        config = MdParserConfig(enable_extensions=_extensions(self.root))
        return read_myst_markdown_notebook(self.text, config, add_source_map=True, path=self.path)


def pages(root: Path = ROOT) -> list[Page]:
    """Return all pages in reading order; raises FileNotFoundError for a name without a page."""
    toc = yaml.safe_load((root / "_toc.yml").read_text(encoding="utf-8"))
    found = [Page(root, name) for name in _files(toc)]
    missing = [str(page.path.relative_to(root)) for page in found if not page.path.is_file()]
    if missing:
        raise FileNotFoundError(f"_toc.yml names pages that are not there: {', '.join(missing)}")
    return found


def chapters(root: Path = ROOT) -> list[Page]:
    """Return the pages that have code, in reading order."""
    return [page for page in pages(root) if page.is_notebook]


def named(names: list[str], root: Path = ROOT) -> list[Page]:
    """Return the pages whose names end in these; raises ValueError, which lists all, for an unknown one."""
    known = {page.path.stem: page for page in pages(root)}
    if unknown := [name for name in names if name not in known]:
        raise ValueError(f"there is no page {unknown[0]!r}; there are: {', '.join(known)}")
    return [known[name] for name in dict.fromkeys(names)]


def _files(entry: Any) -> Iterator[str]:
    if isinstance(entry, dict):
        for key, value in entry.items():
            if key in ("root", "file"):
                yield str(value).removesuffix(".md")
            else:
                yield from _files(value)
    elif isinstance(entry, list):
        for value in entry:
            yield from _files(value)


def _extensions(root: Path) -> set[str]:
    config = yaml.safe_load((root / "_config.yml").read_text(encoding="utf-8"))
    return set(config["parse"]["myst_enable_extensions"])
