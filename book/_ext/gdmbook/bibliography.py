"""The bibliography: works that would be cited alike get letters, and an entry is an item of a list.

Docutils gives an entry a role that is not allowed in a list.
"""

from collections.abc import Mapping
from string import ascii_lowercase

from docutils import nodes
from pybtex.database import Entry
from sphinx.application import Sphinx
from sphinx.writers.html5 import HTML5Translator


def authors(entry: Entry) -> str:
    """Return the authors as a citation names them."""
    persons = entry.persons.get("author", entry.persons.get("editor", []))
    people = [" ".join(map(str, person.rich_prelast_names + person.rich_last_names)) for person in persons]
    if len(people) > 2:
        return f"{people[0]} et al."
    return " and ".join(people) or str(entry.fields.get("title", "?"))


def set_apart(entries: Mapping[str, Entry]) -> None:
    """Give the years of works that a citation couldn't tell apart letters: 2022a, 2022b, by title."""
    alike: dict[tuple[str, str], list[Entry]] = {}
    for entry in entries.values():
        if "year" in entry.fields:
            alike.setdefault((authors(entry), entry.fields["year"]), []).append(entry)
    for (_, year), group in alike.items():
        if len(group) > 1:
            for letter, entry in zip(ascii_lowercase, sorted(group, key=_title), strict=False):
                entry.fields["year"] = year + letter


def _title(entry: Entry) -> str:
    return str(entry.fields.get("title", "")).lower()


def _set_apart(app: Sphinx) -> None:
    set_apart(app.env.get_domain("cite").bibdata.data.entries)  # type: ignore[attr-defined]


def _visit(self: HTML5Translator, node: nodes.citation) -> None:
    HTML5Translator.visit_citation(self, node)
    self.body[-1] = self.body[-1].replace('role="doc-biblioentry"', 'role="listitem"')


def _depart(self: HTML5Translator, node: nodes.citation) -> None:
    HTML5Translator.depart_citation(self, node)


def setup(app: Sphinx) -> None:
    """Set works apart once they are read, and write an entry as an item."""
    app.connect("builder-inited", _set_apart, priority=900)  # after sphinxcontrib-bibtex has read them
    app.add_node(nodes.citation, override=True, html=(_visit, _depart))
