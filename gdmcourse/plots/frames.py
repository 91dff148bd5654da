"""A figure with a slider: one drawing for each value of a parameter.

In a live notebook the slider is an ipywidgets control and a frame is drawn when it is first asked for. While
the book is built (``GDMCOURSE_STATIC=1``) all frames are drawn at once into a piece of HTML that needs no
kernel and no other host; `book/_static/frames.js` moves it, and without scripts the first frame stands.
"""

import base64
import json
import os
import sys
from collections.abc import Callable, Sequence
from html import escape
from io import BytesIO
from typing import Any

from matplotlib.figure import Figure

_DPI = 130  # of a frame; with 100 screen pixels to the inch it stays sharp and a page of 20 frames small


def frames(
    draw: Callable[[Any], Figure],
    values: Sequence[Any],
    *,
    label: str,
    caption: str,
    alt: str,
    initial: int = 0,
) -> "Frames":
    """Show `draw(value)` for each of `values` under a slider.

    Leave the result as the last expression of a cell. `draw` returns a matplotlib figure, of one size for all
    values. `label` names the parameter beside the slider, `caption` stands below, `alt` says what the figure
    shows to those who do not see it, and `initial` is the position in `values` that is shown first. Raises
    ValueError if there are no values or `initial` is not a position in them.
    """
    return Frames(draw, list(values), label=label, caption=caption, alt=alt, initial=initial)


class Frames:
    """What `frames` returns: it shows itself, as a widget when live and as plain HTML on a static page."""

    def __init__(
        self,
        draw: Callable[[Any], Figure],
        values: list[Any],
        *,
        label: str,
        caption: str,
        alt: str,
        initial: int,
    ) -> None:
        if not values:
            raise ValueError("frames: there are no values to draw; give at least one")
        if not 0 <= initial < len(values):
            raise ValueError(
                f"frames: initial={initial} is not a position in {len(values)} values (0 is the first)"
            )
        self.draw, self.values, self.initial = draw, values, initial
        self.label, self.caption, self.alt = label, caption, alt
        self._images: dict[int, str] = {}

    def texts(self) -> list[str]:
        """Return the values as the reader sees and hears them, one string each; an empty one is "none"."""
        return [f"{value:g}" if isinstance(value, float) else str(value) or "none" for value in self.values]

    def image(self, index: int) -> str:
        """Return frame `index` as an `<img>` element with its picture inside; each is drawn once."""
        if index not in self._images:
            data, (width, height) = _png(self.draw(self.values[index]))
            alt = f"{self.alt} ({self.label}: {self.texts()[index]})"
            source = f'src="data:image/png;base64,{data}"'
            self._images[index] = f'<img {source} alt="{escape(alt)}" width="{width}" height="{height}">'
        return self._images[index]

    def html(self) -> str:
        """Return the slider with all of its frames as HTML that needs no kernel and no other host."""
        texts = self.texts()
        images = [self.image(index) for index in range(len(texts))]
        stage = "".join(
            image if index == self.initial else image.replace("<img ", '<img hidden loading="lazy" ', 1)
            for index, image in enumerate(images)
        )
        return (
            f'<div class="frames" data-values="{escape(json.dumps(texts))}">'
            f'<div class="frames-stage">{stage}</div>'
            '<div class="frames-controls" hidden>'
            '<button type="button" class="frames-play" aria-label="Play the frames">▶</button>'
            f'<label><span class="frames-label">{escape(self.label)}</span>'
            f'<input type="range" min="0" max="{len(texts) - 1}" step="1" value="{self.initial}"'
            f' aria-valuetext="{escape(texts[self.initial])}"></label>'
            f"<output>{escape(texts[self.initial])}</output>"
            "</div>"
            f'<p class="frames-caption">{escape(self.caption)}</p>'
            "</div>"
        )

    def widget(self) -> Any:
        """Return the live control: an ipywidgets box of slider, frame and caption."""
        import ipywidgets  # heavy, and of use in a notebook only

        slider = ipywidgets.SelectionSlider(
            options=[(text, index) for index, text in enumerate(self.texts())],
            value=self.initial,
            description=self.label,
            style={"description_width": "initial"},
        )
        picture = ipywidgets.HTML(self.image(self.initial))
        slider.observe(lambda change: setattr(picture, "value", self.image(change["new"])), names="value")
        return ipywidgets.VBox([slider, picture, ipywidgets.HTML(f"<p>{escape(self.caption)}</p>")])

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, Any]:
        if os.environ.get("GDMCOURSE_STATIC") == "1":
            return {"text/html": self.html(), "text/plain": f"{self.alt}. {self.caption}"}
        bundle = self.widget()._repr_mimebundle_()
        # A viewer without widgets (a diff, a preview) takes the picture instead.
        return {**bundle, "text/html": self.image(self.initial)}


def _png(figure: Figure) -> tuple[str, tuple[int, int]]:
    """Return the figure as base64 of a PNG, with its size in screen pixels."""
    buffer = BytesIO()
    figure.savefig(buffer, format="png", dpi=_DPI)
    width, height = figure.get_size_inches()
    if "matplotlib.pyplot" in sys.modules:  # a pyplot figure left open would be shown again below the cell
        sys.modules["matplotlib.pyplot"].close(figure)
    return base64.b64encode(buffer.getvalue()).decode(), (round(100 * width), round(100 * height))
