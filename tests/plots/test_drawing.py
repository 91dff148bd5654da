"""Figures as drawings: curves stay lines, what is dense becomes pixels, and a notebook shows SVG."""

import re
import types

import IPython
import numpy as np
import pytest
from IPython.core.formatters import DisplayFormatter
from matplotlib.figure import Figure

from gdmcourse.plots.drawing import MARKS, VERTICES, show_as_drawings, svg


def axes_of(width: float = 7.0):
    return Figure(figsize=(width, 3), layout="constrained").subplots()


def pixels(axes) -> int:
    return svg(axes.figure).count("<image")


def test_curves_are_lines():
    axes = axes_of()
    axes.plot(np.linspace(0, 1, 200), np.linspace(0, 1, 200) ** 2)
    axes.fill_between([0, 1], [0, 1], alpha=0.2)
    axes.scatter(np.arange(20), np.arange(20))
    assert pixels(axes) == 0


@pytest.mark.parametrize(
    "draw",
    [
        lambda axes: axes.scatter(*np.random.default_rng(0).normal(size=(2, MARKS + 1))),
        lambda axes: axes.plot(np.random.default_rng(0).normal(size=(VERTICES // 10, 11))),
        lambda axes: axes.pcolormesh(np.zeros((30, 30))),
        lambda axes: axes.imshow(np.zeros((8, 8)), interpolation="none"),
    ],
    ids=["points", "walks", "mesh", "image"],
)
def test_what_is_dense_is_drawn_as_pixels_and_the_axes_as_lines(draw):
    axes = axes_of()
    draw(axes)
    axes.set_xlabel("time")
    drawn = svg(axes.figure)
    assert drawn.count("<image") == 1
    assert 'id="xtick_1"' in drawn


def test_a_cloud_weighs_less_than_its_points_would():
    axes = axes_of()
    points = axes.scatter(*np.random.default_rng(0).normal(size=(2, 20_000)), s=2)
    assert len(svg(axes.figure)) < 400_000
    assert points.get_rasterized()


def test_small_images_keep_their_own_pixels():
    axes = axes_of()
    axes.imshow(np.eye(8), interpolation="none")
    drawn = svg(axes.figure)
    image = re.search(r"<image[^>]*>", drawn, re.S)[0]
    assert 'width="8"' in image
    assert "pixelated" in image


def test_a_drawing_is_as_wide_as_the_figure_and_the_same_each_time():
    drawn = []
    for _ in range(2):
        axes = axes_of(width=7.0)
        axes.plot([0, 1])
        drawn.append(svg(axes.figure))
    assert drawn[0] == drawn[1]
    width = float(re.search(r'width="([\d.]+)pt"', drawn[0])[1])
    assert 0.95 * 7 * 72 < width < 1.05 * 7 * 72


def test_a_notebook_shows_drawings_and_no_pictures(monkeypatch):
    formatter = DisplayFormatter()
    formatter.formatters["image/png"].for_type(Figure, lambda figure: b"picture")
    monkeypatch.setattr(IPython, "get_ipython", lambda: types.SimpleNamespace(display_formatter=formatter))
    show_as_drawings()
    axes = axes_of()
    axes.plot([0, 1])
    shown, _ = formatter.format(axes.figure)
    assert "image/png" not in shown
    assert shown["image/svg+xml"].startswith("<?xml")
