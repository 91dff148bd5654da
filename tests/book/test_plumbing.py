"""Lines that only serve the page are not shown; everything else is, as it was written."""

import pytest
from gdmbook.plumbing import without_plumbing


@pytest.mark.parametrize(
    ("code", "shown"),
    [
        ("x = 1\nglue('a', x, display=False)\ny = 2", "x = 1\ny = 2"),
        ("from myst_nb import glue\n\nx = 1", "x = 1"),
        ("from gdmcourse import plots\n\nplots.use_style()", "from gdmcourse import plots"),
        ("numbers(\n    'a',\n    x=1,\n)\nx", "x"),
        ("for a in b:\n    glue(a, 1)", ""),
        ("for a in b:\n    c = f(a)\n    glue(a, c)\nd", "for a in b:\n    c = f(a)\nd"),
        (
            "for a in b:\n    for c in a:\n        d = c\n        glue(c, d)",
            "for a in b:\n    for c in a:\n        d = c",
        ),
        ("def f():\n    glue('a', 1)", "def f():\n    glue('a', 1)"),
        ("for a in b:\n    print(a)", "for a in b:\n    print(a)"),
        ("from gdmcourse.plots import INK, use_style", "from gdmcourse.plots import INK, use_style"),
        ("x = f(\n    1, 2,\n)  # fmt: skip", "x = f(\n    1, 2,\n)"),
        ("glue = 1\nprint(glue)", "glue = 1\nprint(glue)"),
        ("!gdmcourse data", "!gdmcourse data"),
    ],
)
def test_what_is_shown(code, shown):
    assert without_plumbing(code) == shown
