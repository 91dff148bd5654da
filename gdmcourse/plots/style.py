"""One look for all figures: a colour-blind-safe palette on white paper.

Figures are drawn as ink on white. In dark mode the book's style sheet inverts lightness and keeps the hue,
so one drawing serves both (see `book/_static/book.css`).
"""

import matplotlib as mpl
from cycler import cycler

from gdmcourse.plots.drawing import show_as_drawings

# Okabe and Ito's palette (2008), ordered for contrast on white; yellow is left out because it vanishes there.
PALETTE = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9"]
INK = "#222222"
SEQUENTIAL = "viridis"

# In points. A figure of 7 inches is shown at 0.536 of its size on a phone of 360 pixels: labels have 9 there.
_LABELS = 12.6


def use_style() -> None:
    """Set matplotlib's defaults for the book: palette, type size, light frame, and drawings in a notebook."""
    import matplotlib.pyplot as plt

    plt.switch_backend(
        mpl.get_backend()
    )  # loads the notebook's backend, which registers how a figure is shown
    show_as_drawings()
    mpl.rcParams.update(
        {
            "axes.prop_cycle": cycler(color=PALETTE),
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.edgecolor": INK,
            "axes.labelcolor": INK,
            "axes.titlesize": "medium",
            "axes.titleweight": "normal",
            "figure.figsize": (7.0, 3.2),
            "figure.constrained_layout.use": True,
            "figure.dpi": 100,
            "savefig.dpi": 200,
            "savefig.facecolor": "white",
            "font.size": _LABELS,
            "image.cmap": SEQUENTIAL,
            "legend.frameon": False,
            "lines.linewidth": 2.0,
            "text.color": INK,
            "xtick.color": INK,
            "ytick.color": INK,
            "figure.max_open_warning": 0,
        }
    )
