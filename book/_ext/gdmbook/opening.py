"""`{opening} name`: a figure of a later cell, shown here; a chapter begins with a picture, not with its code.

The argument is the figure's name, or `slider` for the page's first slider. Where the figure stood, the page
says where it is.
"""

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.transforms import SphinxTransform
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

from gdmbook.unexecuted import stands_in

logger = logging.getLogger(__name__)


class Place(nodes.General, nodes.Element):
    """Where the figure goes."""


class Opening(SphinxDirective):
    """The place of the picture."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Return a place that the transform fills."""
        place = Place(figure=nodes.fully_normalize_name(self.arguments[0]))
        self.set_source_info(place)
        return [place]


class MoveFigure(SphinxTransform):
    """Take the figure from its cell to the place, once sliders are figures and before they are numbered."""

    default_priority = 410

    def apply(self, **kwargs: object) -> None:
        """Fill each place of the page."""
        for place in list(self.document.findall(Place)):
            figure = self._figure(place["figure"])
            if figure is None:
                if not stands_in(self.document.settings.env):  # where nothing ran, there is no slider
                    logger.warning("no figure is named %r on this page", place["figure"], location=place)
                place.parent.remove(place)
                continue
            figure.parent.replace(figure, self._pointer(figure))  # replace_self would copy the place's name
            place.replace_self(figure)
            figure["classes"].append("opening")

    def _figure(self, name: str) -> nodes.figure | None:
        for figure in self.document.findall(nodes.figure):
            slider = any('class="frames"' in raw.astext() for raw in figure.findall(nodes.raw))
            if name in figure["names"] or (name == "slider" and slider):
                return figure
        return None

    def _pointer(self, figure: nodes.figure) -> nodes.paragraph:
        number = addnodes.number_reference("", "", refid=figure["ids"][0], classes=["opening-number"])
        end = nodes.Text(" stands at the top of the page.")
        return nodes.paragraph("", "", number, end, classes=["opening-pointer"])


class NumberPointer(SphinxPostTransform):
    """Write the figure's number into the sentence that says where it is, once figures are numbered."""

    default_priority = 500

    def run(self, **kwargs: object) -> None:
        """Go through the page's sentences."""
        numbers = self.env.toc_fignumbers.get(self.env.docname, {}).get("figure", {})
        for reference in self.document.findall(addnodes.number_reference):
            if "opening-number" in reference["classes"]:
                number = ".".join(map(str, numbers.get(reference["refid"], ())))
                reference += nodes.Text(f"Fig. {number}" if number else "The figure")


def setup(app: Sphinx) -> None:
    """Register the directive and the transforms."""
    app.add_node(Place)
    app.add_post_transform(NumberPointer)
    app.add_directive("opening", Opening)
    app.add_transform(MoveFigure)
