"""A frame slider is a figure like any other, and its frames are files that a page loads when they are near.

The executed notebook holds a slider in one piece, with its pictures inside, so that it can be kept and read
anywhere. On the page each picture becomes a file of its own, named by its content.
"""

import base64
import hashlib
import json
import posixpath
import re
from html import escape, unescape
from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.transforms import SphinxTransform

FOLDER = "_images/frames"
_CAPTION = re.compile(r'<p class="frames-caption">(.*?)</p>', re.S)
_VALUES = re.compile(r'data-values="([^"]*)"')
_LABEL = re.compile(r'<span class="frames-label">(.*?)</span>', re.S)
_PICTURE = re.compile(
    r'<img (?P<hidden>hidden loading="lazy" )?src="data:image/png;base64,(?P<data>[^"]*)"(?P<rest>[^>]*)>'
)


class NumberSliders(SphinxTransform):
    """Lift the caption out of a slider's HTML into a figure, before figures are numbered."""

    default_priority = 400

    def apply(self, **kwargs: object) -> None:
        """Wrap the output of every cell that shows a slider."""
        for raw in list(self.document.findall(nodes.raw)):
            if 'class="frames"' not in raw.astext():
                continue
            html = raw.astext()
            said = _CAPTION.search(html)
            bundle = raw.parent.parent  # MyST-NB: bundle of forms > container of one form > raw
            if not isinstance(bundle.parent, nodes.figure):
                figure = nodes.figure()
                self.document.set_id(figure)
                bundle.replace_self(figure)
                figure += bundle
            figure = bundle.parent
            if said and not any(isinstance(child, nodes.caption) for child in figure):
                figure += nodes.caption("", "", *_inline(said[1]))
            raw.children = [nodes.Text(_CAPTION.sub("", html))]
            raw.rawsource = ""


def _inline(text: str) -> list[nodes.Node]:
    parts = re.split(r"\$([^$]+)\$", unescape(text))
    return [nodes.math(part, part) if at % 2 else nodes.Text(part) for at, part in enumerate(parts) if part]


def write_frames(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """Write the pictures of the page's sliders into files, and have the page name them."""
    if app.builder.format != "html":
        return
    for raw in doctree.findall(nodes.raw):
        if 'class="frames"' in raw.astext():
            html = with_files(raw.astext(), Path(app.outdir) / FOLDER, posixpath.dirname(docname))
            raw.children = [nodes.Text(html)]


def with_files(html: str, folder: Path, page: str) -> str:
    """Write the slider's pictures into `folder` and return its HTML with their addresses from `page`.

    First, middle and last frame are printed, each with its value; the others are loaded when they are near.
    """
    values, label = json.loads(unescape(_search(_VALUES, html))), _search(_LABEL, html)
    printed = {0, len(values) // 2, len(values) - 1}
    folder.mkdir(parents=True, exist_ok=True)
    pieces = []
    for at, picture in enumerate(_PICTURE.finditer(html)):
        data = base64.b64decode(picture["data"])
        name = f"{hashlib.sha256(data).hexdigest()[:16]}.png"
        (folder / name).write_bytes(data)
        hidden = "hidden " if picture["hidden"] else ""
        late = 'loading="lazy" ' if hidden and at not in printed else ""
        address = posixpath.relpath(f"{FOLDER}/{name}", page)
        piece = f'<img {hidden}{late}src="{address}"{picture["rest"]}>'
        if at in printed:
            piece = f'<span class="frames-printed" data-value="{label}: {escape(values[at])}">{piece}</span>'
        pieces.append(piece)
    left = iter(pieces)
    return _PICTURE.sub(lambda _: next(left), html)


def _search(pattern: re.Pattern[str], html: str) -> str:
    found = pattern.search(html)
    assert found is not None, "a slider without values or label; see gdmcourse/plots/frames.py"
    return found[1]


def setup(app: Sphinx) -> None:
    """Register the transform and the writing."""
    app.add_transform(NumberSliders)
    app.connect("doctree-resolved", write_frames)
