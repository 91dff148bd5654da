"""The ledger: which test checks which equation, as a page and as a mark beside each equation."""

from collections import defaultdict
from html import escape
from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util.docutils import SphinxDirective

from gdmbook.chapters import pages
from gdmbook.claims import Claim, Test, claims, marked_tests
from gdmbook.equations import equation_reference
from gdmbook.folded import Summary, folded

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

    def _entry(self, claim: Claim, found: list[Test]) -> nodes.Node:
        """Return a claim folded; its formula stands as TeX, which `ledger.js` has drawn when it is opened.

        The place that a mark links to lies inside: a browser opens what hides the target of a link.
        """
        number = equation_reference(claim.label, self.env.docname)
        tests = _count(len(found), "test")
        summary = [nodes.Text("Equation "), number, nodes.inline("", f"{_said(claim.label)} · {tests}")]
        body = nodes.container(classes=["ledger-body"], ids=[f"ledger-{claim.label}"])
        body += nodes.raw(
            "", f'<div class="ledger-formula">\\[{escape(claim.formula)}\\]</div>', format="html"
        )
        link = equation_reference(claim.label, self.env.docname)
        body += nodes.paragraph(
            "", "In its chapter: equation ", link, nodes.Text("."), classes=["ledger-where"]
        )
        if not found:
            body += nodes.paragraph("", "No test checks this yet.")
        for test in found:
            where = test.path.relative_to(self.env.srcdir)
            file = nodes.inline("", str(where), classes=["ledger-file"])
            said: list[nodes.Node] = [nodes.literal("", test.name), nodes.Text(" "), file]
            source = nodes.literal_block(test.source, test.source, language="python")
            body += folded(said, [source], "ledger-test")
        return folded(summary, [body], "ledger-entry")


def plain_numbers(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """Turn the links in the entries' headlines into text: a headline is a button already."""
    if docname == PAGE:
        for headline in doctree.findall(Summary):
            for link in list(headline.findall(nodes.reference)):
                link.replace_self(nodes.inline("", link.astext(), classes=["ledger-number"]))


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


def _said(label: str) -> str:
    return label.removeprefix("eq-").replace("-", " ")


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def setup(app: Sphinx) -> None:
    """Register the directive and the marks."""
    app.add_directive("ledger", Ledger)
    app.connect("doctree-resolved", mark_equations)
    app.connect("doctree-resolved", plain_numbers)
    app.connect("env-updated", changed)
