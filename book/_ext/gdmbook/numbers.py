"""Glued numbers in the type of a book: a minus sign for the hyphen, and 5·10⁻² for 5e-02."""

import re
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.transforms.post_transforms import SphinxPostTransform

_NUMBER = re.compile(r"(?P<sign>[-−]?)(?P<digits>\d[\d.,]*)(?:e(?P<power>[+-]?\d+))?")
_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def typeset(text: str) -> str:
    """Return a number as a book prints it; what is no number comes back as it is."""
    number = _NUMBER.fullmatch(text)
    if number is None:
        return text
    said = number["digits"]
    if number["power"] is not None:
        power = "10" + str(int(number["power"])).translate(_RAISED)
        said = power if said == "1" else f"{said}·{power}"
    return ("−" if number["sign"] else "") + said


class Typeset(SphinxPostTransform):
    """Goes through the glued values of a page."""

    default_priority = 890
    formats = ("html",)

    def run(self, **_: Any) -> None:
        """Write each anew that is a number."""
        for glued in list(self.document.findall(nodes.inline)):
            if "pasted-text" in glued["classes"]:
                glued.children = [nodes.Text(typeset(glued.astext()))]
                glued.children[0].parent = glued


def setup(app: Sphinx) -> None:
    """Register the transform."""
    app.add_post_transform(Typeset)
