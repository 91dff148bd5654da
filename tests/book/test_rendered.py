"""What is read from the rendered pages: previews of links, and the texts that the search looks through."""

import json

import pytest
from bs4 import BeautifulSoup
from gdmbook.previews import previews
from gdmbook.rendered import _script
from gdmbook.search import letters, passages

HASH = '<a class="headerlink">#</a>'
PAGE = r"""<article><section id="top"><h1><span class="section-number">2. </span>Noise#</h1>
<p>Some <b>noise</b> of size <span class="math">\(\bar\alpha_t\)</span>.</p>
<section id="marginal"><h2>Marginal#</h2><p>It is Gaussian:</p>
<div class="math" id="equation-eq-a"><span class="eqno">(2.1)#</span>\[q &lt; 1\]</div>
</section>
<dl class="glossary"><dt id="term-EMA">EMA#</dt><dd><p>See <a href="x.html">average</a>.</p></dd></dl>
<div class="citation" id="id3"><span class="label">[1]</span>
<p>A. Author. <a href="https://example.org">Title</a>.</p></div>
</section></article>"""
SOUP = BeautifulSoup(PAGE.replace("#<", f"{HASH}<"), "html.parser")


def test_equation_term_and_citation_have_a_preview():
    found = previews("p.html", SOUP)
    assert found["p.html#equation-eq-a"] == {
        "title": "(2.1) · 2. Noise",
        "html": '<div class="math">\\[q &lt; 1\\]</div>',
    }
    assert found["p.html#term-EMA"] == {"title": "EMA", "html": "<p>See average.</p>"}
    assert found["p.html#id3"] == {"title": "", "html": "A. Author. Title."}
    assert len(found) == 3


def test_a_section_has_its_own_words_and_its_place():
    assert passages("p.html", SOUP) == [
        {
            "page": "2. Noise",
            "title": "2. Noise",
            "href": "p.html",
            "text": "Some noise of size αt. A. Author. Title.",
        },
        {"page": "2. Noise", "title": "Marginal", "href": "p.html#marginal", "text": "It is Gaussian: …"},
        {"page": "2. Noise", "title": "EMA", "href": "p.html#term-EMA", "text": "See average."},
    ]


@pytest.mark.parametrize(
    ("formula", "line"),
    [
        (r"\(x_t\)", "xt"),
        (r"\(\hat\epsilon\)", "ε"),
        (r"\(\theta \leftarrow d\,\theta\)", "θ ← dθ"),
        (r"\(\log p(x)\)", "log p(x)"),
    ],
)
def test_an_inline_formula_becomes_a_line_of_letters(formula, line):
    assert " ".join(letters(formula).split()) == line


def test_the_script_sets_one_variable(tmp_path):
    _script(tmp_path / "data.js", "bookThings", {"a": "</b> “c”"})
    text = (tmp_path / "data.js").read_text(encoding="utf-8")
    head, _, value = text.rstrip(";\n").partition(" = ")
    assert head == "window.bookThings"
    assert json.loads(value) == {"a": "</b> “c”"}
