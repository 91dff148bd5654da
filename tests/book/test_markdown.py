"""MyST into plain Markdown, for the notebooks that readers download."""

import pytest
from gdmbook.markdown import plain


class Words:
    """Stands in for the book: every answer shows what was asked."""

    def role(self, name, text):
        return f"<{name}|{text}>"

    def equation(self, label):
        return {"eq-a": "2.1"}.get(label, "")

    def directive(self, name, argument, options, body):
        return f"<<{name} {argument}>>" if name == "run-time" else None


@pytest.mark.parametrize(
    ("myst", "markdown"),
    [
        ("See {eq}`eq-a` and `code`.", "See <eq|eq-a> and `code`."),
        ("{glue:text}`fwd-x:.2f` of {cite:p}`a,b`", "<glue:text|fwd-x:.2f> of <cite:p|a,b>"),
        ("{term}`noise\nschedule`", "<term|noise\nschedule>"),
        ("$$\nx = 1\n$$ (eq-a)", "$$\nx = 1 \\tag{2.1}\n$$"),
        ("$$ x = 1 $$ (eq-unknown)", "$$ x = 1 $$"),
        ("$$\n\\begin{align}x\\end{align}\n$$ (eq-a)", "$$\n\\begin{align}x\\end{align}\n$$"),
        ("```{math}\n:label: eq-a\n\nx = 1\n```", "$$\nx = 1 \\tag{2.1}\n$$"),
        ("```{run-time}\n```", "<<run-time >>"),
        ("```{note}\nMind {eq}`eq-a`.\n```", "> **Note.**\n>\n> Mind <eq|eq-a>."),
        (":::{admonition} Why?\n:class: tip\nBecause.\n:::", "> **Why?**\n>\n> Because."),
        ("````{note}\n```python\n{eq}`x`\n```\n````", "> **Note.**\n>\n> ```python\n> {eq}`x`\n> ```"),
        ("```python\n$$ x $$ (eq-a) {eq}`x`\n```", "```python\n$$ x $$ (eq-a) {eq}`x`\n```"),
        ("```{code-block} python\nx = {eq}\n```", "```python\nx = {eq}\n```"),
        ("(label)=\n## Head", "## Head"),
        ("% a remark\nText", "Text"),
        (
            "[the start](../start/index.md#x) and [us](https://example.org)",
            "the start and [us](https://example.org)",
        ),
        ("```{figure} a.svg\n:alt: A map\n\nCaption.\n```", "*[Figure in the book: A map]* Caption."),
        (
            "```{list-table} Names\n:header-rows: 1\n\n* - a\n  - b\n* - {eq}`x`\n  - 2\n```",
            "**Names**\n\n| a | b |\n| --- | --- |\n| <eq|x> | 2 |",
        ),
    ],
)
def test_forms(myst, markdown):
    assert plain(myst, Words()) == markdown
