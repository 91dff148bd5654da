"""A book of two chapters in a folder of its own, to build within a test."""

from pathlib import Path

ROOT = Path(__file__).parents[2]
HEAD = """---
jupytext:
  text_representation:
    format_name: myst
kernelspec:
  name: python3
  display_name: Python 3
---
"""


def chapter(title: str, *cells: str) -> str:
    blocks = "\n".join(f"```{{code-cell}} ipython3\n{cell}\n```\n" for cell in cells)
    return f"{HEAD}\n# {title}\n\n```{{run-time}}\n```\n\n{blocks}"


def make(folder: Path, **chapters: str) -> Path:
    """Write a book with these chapters; its library is a stand-in that is fingerprinted, never imported."""
    for name in (
        "_config.yml",
        "constraints.txt",
        "pyproject.toml",
        "book/_ext",
        "book/_static",
        "book/_templates",
        "book/references.bib",
    ):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).symlink_to(ROOT / name)
    (folder / "gdmcourse/plots").mkdir(parents=True)
    (folder / "gdmcourse/__init__.py").write_text("")
    (folder / "gdmcourse/plots/__init__.py").write_text("")
    (folder / "tests").mkdir()
    (folder / "index.md").write_text("# Tiny\n\nA book.\n")
    entries = "".join(f"  - file: {name}\n" for name in chapters)
    (folder / "_toc.yml").write_text(f"format: jb-book\nroot: index\nchapters:\n{entries}")
    for name, text in chapters.items():
        (folder / f"{name}.md").write_text(text)
    return folder
