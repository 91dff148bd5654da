"""The frame slider: plain HTML on a static page, a widget in a live notebook."""

import base64
import json
import re
from html import unescape
from io import BytesIO

import ipywidgets
import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from gdmcourse.plots import frames


def _draw(value: float) -> Figure:
    figure = Figure(figsize=(2, 1))
    figure.subplots().plot([0, 1], [0, value])
    return figure


def _slider(**changes):
    given = {"label": "t", "caption": "A <line> rises.", "alt": 'A "line"', "initial": 0}
    return frames(_draw, [0.0, 0.5, 1.0], **{**given, **changes})


def test_static_page_gets_every_frame_and_shows_one(monkeypatch):
    monkeypatch.setenv("GDMCOURSE_STATIC", "1")
    html = _slider(initial=1)._repr_mimebundle_()["text/html"]
    pictures = re.findall(r"<img [^>]*>", html)
    assert [" hidden" in picture for picture in pictures] == [True, False, True]
    assert json.loads(unescape(re.search(r'data-values="([^"]*)"', html)[1])) == ["0", "0.5", "1"]
    assert 'aria-valuetext="0.5"' in html
    assert "<output>0.5</output>" in html


def test_an_empty_value_has_a_name():
    """A slider whose value is said to be nothing can't be followed by ear."""
    empty = frames(lambda text: _draw(len(text)), ["", "a three"], label="caption", caption="c", alt="a")
    assert empty.texts() == ["none", "a three"]
    assert 'aria-valuetext="none"' in empty.html()


def test_frames_are_the_drawings_at_their_values(monkeypatch):
    monkeypatch.setenv("GDMCOURSE_STATIC", "1")
    html = _slider()._repr_mimebundle_()["text/html"]
    shown = [Image.open(BytesIO(base64.b64decode(data))) for data in re.findall(r"base64,([^\"]+)", html)]
    assert len({image.size for image in shown}) == 1
    heights = [np.asarray(image.convert("L")) for image in shown]
    assert not np.array_equal(heights[0], heights[1])
    assert not np.array_equal(heights[1], heights[2])


def test_static_page_has_no_address_of_another_host(monkeypatch):
    monkeypatch.setenv("GDMCOURSE_STATIC", "1")
    assert "//" not in re.sub(r"base64,[^\"]*", "", _slider().html())


def test_without_scripts_the_controls_are_hidden_and_the_caption_stands():
    html = _slider().html()
    assert '<div class="frames-controls" hidden>' in html
    assert "A &lt;line&gt; rises." in html


def test_live_notebook_gets_a_slider_that_swaps_the_frame(monkeypatch):
    monkeypatch.delenv("GDMCOURSE_STATIC", raising=False)
    show = _slider()
    slider, picture, _ = show.widget().children
    assert isinstance(slider, ipywidgets.SelectionSlider)
    first = picture.value
    slider.value = 2
    assert picture.value == show.image(2) != first


def test_live_bundle_is_a_widget_with_a_picture_to_fall_back_on(monkeypatch):
    monkeypatch.delenv("GDMCOURSE_STATIC", raising=False)
    bundle = _slider()._repr_mimebundle_()
    assert "application/vnd.jupyter.widget-view+json" in bundle
    assert bundle["text/html"].startswith("<img ")


def test_alternative_text_is_escaped_and_names_the_value():
    assert 'alt="A &quot;line&quot; (t: 0.5)"' in _slider().image(1)


def test_each_frame_is_drawn_once():
    drawn = []

    def draw(value):
        drawn.append(value)
        return _draw(value)

    show = frames(draw, [1, 2], label="t", caption="c", alt="a")
    show.html()
    show.html()
    assert drawn == [1, 2]


def test_pyplot_figures_are_closed():
    before = plt.get_fignums()

    def draw(value):
        figure, _ = plt.subplots()
        return figure

    frames(draw, [1, 2], label="t", caption="c", alt="a").html()
    assert plt.get_fignums() == before


@pytest.mark.parametrize(("values", "initial", "said"), [([], 0, "no values"), ([1, 2], 2, "initial=2")])
def test_bad_input_is_refused(values, initial, said):
    with pytest.raises(ValueError, match=said):
        frames(_draw, values, label="t", caption="c", alt="a", initial=initial)
