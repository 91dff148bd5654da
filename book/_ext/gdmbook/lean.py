"""What a page doesn't use it doesn't load: MathJax comes in the parts that draw, and the icons are our own.

The theme would load a script of 1.5 MB for eight icons, which `book/_static/icons.css` draws, and MathJax its
menu, which makes a stop of every formula for the keyboard.
"""

import re
import shutil
from pathlib import Path

from sphinx.application import Sphinx
from sphinx.config import Config

# Hidden MathML stays, for screen readers. The scale is fixed: measured, it would differ from load to load.
MATHJAX = {
    "chtml": {"matchFontHeight": False, "scale": 1.2},
    "loader": {"load": ["core", "input/tex", "output/chtml", "a11y/assistive-mml"]},
}
UNUSED = [
    "_static/scripts/fontawesome.js*",
    "_static/vendor/fontawesome",
    "_static/*/*.map",
    "_static/locales",
    "_static/images/logo_*",
    "_static/sphinx-thebe*",
    "_static/mathjax/a11y/sre*",
    "_static/mathjax/*-svg*.js",
    "_static/mathjax/*-full*.js",
    "_static/mathjax/output/svg*",
    "_static/mathjax/sre",
]
# The theme's own search, which every page would wait for; `search.js` asks an index of the book's own.
_SEARCH = re.compile(r'\s*<script src="[^"]*(?:searchtools|language_data|searchindex)\.js[^"]*"></script>')
_ICON = re.compile(r"(?:\.fa-[\w-]+:{1,2}before,?)+\{[^}]*\}|@font-face\{[^}]*Font Awesome[^}]*\}")


def choose_mathjax(app: Sphinx, config: Config) -> None:
    """Have pages load MathJax's parts by its small starter."""
    config.mathjax_path = "mathjax/startup.js"
    config.mathjax3_config = MATHJAX


def without_icons(css: str) -> str:
    """Return the theme's style sheet without the icon font and its names."""
    return _ICON.sub("", css)


def drop_unused(app: Sphinx, error: Exception | None) -> None:
    """Take out of the site what no page asks for."""
    if error is not None or app.builder.format != "html":
        return
    site = Path(app.outdir)
    for pattern in UNUSED:
        for path in site.glob(pattern):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    for page in site.rglob("*.html"):
        if page.name != "search.html":
            page.write_text(_SEARCH.sub("", page.read_text(encoding="utf-8")), encoding="utf-8")
    sheet = site / "_static/styles/pydata-sphinx-theme.css"
    sheet.write_text(without_icons(sheet.read_text(encoding="utf-8")), encoding="utf-8")


def setup(app: Sphinx) -> None:
    """Run after the parts that would bring it all."""
    app.connect("config-inited", choose_mathjax, priority=900)
    app.connect("build-finished", drop_unused, priority=900)
