"""Outlines, by a rule that is spelled out pixel by pixel."""

import torch

from gdmcourse.data import load
from gdmcourse.data.outline import outline


def by_hand(image):
    """The rule, one pixel after the other."""
    height, width = image.shape
    ink = image > 0
    out = torch.full((height, width), -1.0)
    for y in range(height):
        for x in range(width):
            beside = [(y - 1, x), (y + 1, x), (y, x - 1), (y, x + 1)]
            touches = any(0 <= v < height and 0 <= u < width and bool(ink[v, u]) for v, u in beside)
            if touches and not ink[y, x]:
                out[y, x] = 1.0
    return out


def test_outlines_are_those_of_the_rule():
    images = load("digits", "test").images[:5]
    for image, made in zip(images, outline(images), strict=True):
        assert torch.equal(made[0], by_hand(image[0]))


def test_colours_have_one_outline_and_shades_none():
    grey = load("digits", "test").images[:3]
    assert torch.equal(outline(grey.expand(-1, 3, -1, -1)), outline(grey))
    flat = (grey > 0).float() * 2 - 1
    assert torch.equal(outline(flat), outline(grey))
    assert torch.equal(outline(0.1 * flat), outline(grey))
    assert outline(torch.full((1, 1, 4, 4), 0.3)).max() == -1
