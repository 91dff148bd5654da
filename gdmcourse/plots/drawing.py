"""Figures in a notebook as drawings (SVG), sharp at any size; what is dense in them is drawn as pixels.

A cloud of a thousand points or a hundred long walks would make a file larger than a picture of it. Axes,
labels and curves stay lines all the same.
"""

from io import StringIO

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import Collection, QuadMesh
from matplotlib.figure import Figure

DPI = 100  # of these pixels: a cloud needs no more, and its file grows with the square
MARKS, VERTICES = 500, 5_000  # of one set of points, of all lines between one pair of axes


def svg(figure: Figure) -> str:
    """Return the figure as SVG; the same figure gives the same text."""
    for axes in figure.axes:
        _draw_dense_as_pixels(axes)
    buffer = StringIO()
    with mpl.rc_context({"svg.hashsalt": "figure"}):
        figure.savefig(
            buffer, format="svg", dpi=DPI, bbox_inches="tight", pad_inches=0.05, metadata={"Date": None}
        )
    return buffer.getvalue()


def show_as_drawings() -> None:
    """Have the notebook that runs this, if one does, show figures as SVG and no longer as PNG."""
    from IPython import get_ipython

    shell = get_ipython()
    if shell is not None:
        formatters = shell.display_formatter.formatters
        formatters["image/png"].type_printers.pop(Figure, None)
        formatters["image/svg+xml"].for_type(Figure, svg)


def _draw_dense_as_pixels(axes: Axes) -> None:
    if sum(len(np.asarray(line.get_xdata())) for line in axes.lines) > VERTICES:
        for line in axes.lines:
            line.set_rasterized(True)
    for collection in axes.collections:
        if isinstance(collection, QuadMesh) or _marks(collection) > MARKS:
            collection.set_rasterized(True)


def _marks(collection: Collection) -> int:
    return max(len(np.asarray(collection.get_offsets())), len(collection.get_paths()))
