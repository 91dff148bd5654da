"""What is made from the rendered pages: the previews of links, and the texts that the search looks through.

A page that is opened from the file system may not fetch another one, but it may load a script. So both are
written as scripts that set one variable each.
"""

import json
from pathlib import Path

from sphinx.application import Sphinx

from gdmbook.chapters import pages
from gdmbook.previews import previews, read
from gdmbook.search import passages


def write(app: Sphinx, error: Exception | None) -> None:
    """Read every rendered page once and write `preview-data.js` and `search-data.js`."""
    if error is not None or app.builder.format != "html":
        return
    folder = Path(app.outdir)
    seen: dict[str, dict[str, str]] = {}
    texts: list[dict[str, str]] = []
    for page in pages(Path(app.srcdir)):
        uri = app.builder.get_target_uri(page.name)
        soup = read(folder / uri)
        seen |= previews(uri, soup)
        texts += passages(uri, soup)
    _script(folder / "_static/preview-data.js", "bookPreviews", seen)
    _script(folder / "_static/search-data.js", "bookPassages", texts)


def _script(path: Path, variable: str, value: object) -> None:
    path.write_text(f"window.{variable} = {json.dumps(value, ensure_ascii=False)};\n", encoding="utf-8")


def setup(app: Sphinx) -> None:
    """Write when the pages are done."""
    app.connect("build-finished", write)
