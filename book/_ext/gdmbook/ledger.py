"""The ledger: which test checks which equation, as a page and as a mark beside each equation."""

from collections import defaultdict
from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util.docutils import SphinxDirective

from gdmbook.chapters import pages
from gdmbook.claims import Claim, Test, claims, marked_tests
from gdmbook.equations import equation_reference
from gdmbook.folded import folded

PAGE = "book/back/ledger"


def checks(root: Path) -> dict[str, list[Test]]:
    """Return the tests of each label."""
    found: dict[str, list[Test]] = defaultdict(list)
    for test in marked_tests(root / "tests"):
        for label in test.labels:
            found[label].append(test)
    return found


class Ledger(SphinxDirective):
    """`{ledger}`: every claim of the book with the tests that check it, a section to each page."""

    def run(self) -> list[nodes.Node]:
        """Return the sections."""
        self.env.note_reread()
        root, checked = Path(self.env.srcdir), checks(Path(self.env.srcdir))
        sections: list[nodes.Node] = []
        for page in pages(root):
            found = claims([page])
            if found:
                section = nodes.section(ids=[f"ledger-{page.path.stem}"])
                section += nodes.title("", page.title)
                for claim in found:
                    section += self._entry(claim, checked.get(claim.label, []))
                sections.append(section)
        total = sum(len(section.children) - 1 for section in sections)
        count = f"{_count(total, 'claim')}, checked by {_count(len(marked_tests(root / 'tests')), 'test')}."
        return [nodes.paragraph("", count), *sections]

    def _entry(self, claim: Claim, found: list[Test]) -> nodes.container:
        entry = nodes.container(classes=["ledger-entry"], ids=[f"ledger-{claim.label}"])
        formula = nodes.math_block("", claim.formula, nowrap=False, number=None, label=None, docname=PAGE)
        entry += nodes.paragraph(
            "", "Equation ", equation_reference(claim.label, self.env.docname), classes=["ledger-where"]
        )
        entry += formula
        if not found:
            entry += nodes.paragraph("", "No test checks this yet.")
        for test in found:
            where = test.path.relative_to(self.env.srcdir)
            file = nodes.inline("", str(where), classes=["ledger-file"])
            summary: list[nodes.Node] = [nodes.literal("", test.name), nodes.Text(" "), file]
            source = nodes.literal_block(test.source, test.source, language="python")
            entry += folded(summary, [source], "ledger-test")
        return entry


def mark_equations(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """Put a mark beside each claim of a page that leads to its entry in the ledger."""
    if PAGE not in app.env.found_docs or app.builder.format != "html":
        return
    counts = app.env.gdmbook_checks  # type: ignore[attr-defined]
    for block in list(doctree.findall(nodes.math_block)):
        label = block.get("label") or ""
        if label.startswith("eq-"):
            count = counts.get(label, 0)
            said = f"Checked by {_count(count, 'test')}: see the ledger"
            attributes = f'class="ledger-mark" title="{said}" aria-label="{said}"'
            href = f"{app.builder.get_relative_uri(docname, PAGE)}#ledger-{label}"
            mark = nodes.raw("", f'<a {attributes} href="{href}">{"✓" if count else "✗"}</a>', format="html")
            place = nodes.container(classes=["claim"])
            block.parent.replace(block, place)
            place += [block, mark]


def changed(app: Sphinx, env: BuildEnvironment) -> list[str]:
    """Have the pages with claims written again when the tests that their marks count have changed."""
    counts = {label: len(found) for label, found in checks(Path(app.srcdir)).items()}
    before = getattr(env, "gdmbook_checks", None)
    env.gdmbook_checks = counts  # type: ignore[attr-defined]
    if before == counts:
        return []
    return [claim.page.name for claim in claims(pages(Path(app.srcdir)))]


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def setup(app: Sphinx) -> None:
    """Register the directive and the marks."""
    app.add_directive("ledger", Ledger)
    app.connect("doctree-resolved", mark_equations)
    app.connect("env-updated", changed)
