"""The words behind a page's references: numbers from the rendered book, values from the executed notebook."""

import re
from functools import cached_property
from pathlib import Path

from myst_nb.core.variables import format_plain_text
from nbformat import NotebookNode
from pybtex.database import Entry, parse_file
from sphinx.environment import BuildEnvironment

from gdmbook.bibliography import authors, set_apart
from gdmbook.chapters import Page
from gdmbook.markdown import plain
from gdmbook.quiz import as_markdown
from gdmbook.records import Records, sentence
from gdmbook.scores import as_table
from gdmbook.unexecuted import GAP
from gdmcourse.grading.source import read_source

_GLUED = "application/papermill.record/"


class BookLookup:
    """Answers `gdmbook.markdown` about one page; see its `Lookup` for what each method returns."""

    def __init__(self, env: BuildEnvironment, page: Page, executed: NotebookNode) -> None:
        self.env, self.page = env, page
        self.glued: dict[str, str] = {}
        for cell in executed.cells:
            for output in cell.get("outputs", []):
                if "scrapbook" in output.get("metadata", {}):
                    data = {kind.removeprefix(_GLUED): value for kind, value in output["data"].items()}
                    self.glued[output["metadata"]["scrapbook"]["name"]] = data.get("text/plain", "")

    def role(self, name: str, text: str) -> str:
        """Return what the role shows on the page, as near as plain Markdown comes."""
        shown, target = _split(text)
        if name.startswith("glue"):
            key, _, form = text.partition(":")
            return format_plain_text(self.glued[key], form) if key in self.glued else GAP
        if name == "math":
            return f"${text}$"
        if name == "eq":
            return f"({self.equation(text)})"
        if name.startswith("cite"):
            return self._cited(text, textual=name.endswith(":t"))
        if name == "numref":
            return self._figure(target)
        if name == "doc":
            return shown if shown != target else self._title(target)
        if name == "ref":
            return shown if shown != target else self._section(target)
        if name in ("abbr", "term", "download"):
            return re.sub(r"\s*[<(].*[>)]$", "", text)
        return f"`{shown}`"

    def equation(self, label: str) -> str:
        """Return the number that the book gives the equation."""
        domain = self.env.get_domain("math")
        equation = domain.equations.get(label)  # type: ignore[attr-defined]
        if equation is None:
            return ""
        docname, plain_number = equation
        numbers = self.env.toc_fignumbers.get(docname, {}).get("displaymath", {})
        number = numbers.get(f"equation-{label}")
        return ".".join(map(str, number)) if number else str(plain_number)

    def directive(self, name: str, argument: str, options: dict[str, str], body: str) -> str | None:
        """Return the book's own directives as Markdown."""
        if name == "run-time":
            return sentence(Records(self.page.root).latest(self.page))
        if name == "exercises":
            return self._exercises(argument)
        if name == "quiz":
            return plain(as_markdown(body), self)
        if name == "scores":
            return plain(as_table(argument, body), self)
        if name == "compute":
            return "*(The table is on the book's page.)*"
        if name == "second-reading":
            return "*For a second reading.*"
        if name == "opening":
            return ""  # in a notebook the picture stands below its cell
        return None

    def _exercises(self, name: str) -> str:
        path = f"exercises/{name}.ipynb"
        said = [f"Work in `{path}`, and see your score with `gdmcourse grade {path}`."]
        for question in read_source(self.page.root / "solutions" / f"{name}.md").questions:
            said.append(plain(question.statement, self))
        return "\n\n".join(said)

    def _cited(self, keys: str, *, textual: bool) -> str:
        said = []
        for key in keys.split(","):
            entry = self._entries.get(key.strip())
            if entry is None:  # the renderer has warned of it
                said.append(key)
                continue
            people, year = authors(entry), entry.fields.get("year", "n.d.")
            said.append(f"{people} ({year})" if textual else f"{people}, {year}")
        return ", ".join(said) if textual else f"({'; '.join(said)})"

    @cached_property
    def _entries(self) -> dict[str, Entry]:
        files = [Path(self.env.srcdir) / name for name in self.env.config.bibtex_bibfiles]
        entries = {key: entry for file in files for key, entry in parse_file(str(file)).entries.items()}
        set_apart(entries)
        return entries

    def _figure(self, label: str) -> str:
        docname, target, _ = self.env.get_domain("std").labels.get(label, ("", "", ""))  # type: ignore[attr-defined]
        number = self.env.toc_fignumbers.get(docname, {}).get("figure", {}).get(target)
        return "Fig. " + ".".join(map(str, number)) if number else "the figure"

    def _section(self, label: str) -> str:
        labels = self.env.get_domain("std").labels  # type: ignore[attr-defined]
        return labels[label][2] if label in labels else label

    def _title(self, target: str) -> str:
        docname, _ = self.env.relfn2path(target, self.page.name)
        title = self.env.titles.get(docname.removesuffix(".md"))
        return title.astext() if title else target


def _split(text: str) -> tuple[str, str]:
    match = re.fullmatch(r"(.*?)\s*<(.+)>", text, re.S)
    return (match[1], match[2]) if match else (text, text)
