"""Grids of images and the style: ink on paper, at the places where a reader looks for them."""

import matplotlib as mpl
import matplotlib.pyplot as plt
import pytest
import torch

from gdmcourse.plots import PALETTE, image_grid, show_images, use_style


def test_grid_places_images_in_rows_with_gaps():
    images = torch.full((5, 1, 2, 3), -1.0)
    images[4] = 1.0
    grid = image_grid(images, columns=3, pad=1)
    assert grid.shape == (2 * 3 + 1, 3 * 4 + 1)
    assert (grid[4:6, 5:8] == 1).all()  # the fifth image: second row, second column
    assert grid.sum() == 6


def test_grid_scales_and_clips():
    images = torch.tensor([-3.0, -1.0, 0.0, 1.0, 3.0]).reshape(5, 1, 1, 1)
    assert image_grid(images, columns=5, pad=0).tolist() == [[0.0, 0.0, 0.5, 1.0, 1.0]]


def test_grid_of_colour_images_keeps_the_channels():
    assert image_grid(torch.zeros(4, 3, 2, 2), columns=2, pad=1).shape == (7, 7, 3)


def test_grid_is_no_wider_than_its_images():
    assert image_grid(torch.zeros(2, 1, 4, 4), columns=10, pad=0).shape == (4, 8)


def test_show_images_returns_a_figure_that_pyplot_does_not_show_again():
    before = plt.get_fignums()
    figure = show_images(torch.zeros(2, 1, 4, 4), title="Two")
    assert plt.get_fignums() == before
    (axes,) = figure.axes
    assert axes.get_title() == "Two"


def test_grey_images_are_ink_on_paper():
    (image,) = show_images(torch.ones(1, 1, 4, 4)).axes[0].images
    assert image.cmap(1.0)[:3] == (0, 0, 0)
    assert image.cmap(0.0)[:3] == (1, 1, 1)


def test_show_images_draws_on_axes_that_are_given():
    figure, axes = plt.subplots()
    assert show_images(torch.zeros(1, 1, 4, 4), ax=axes) is figure
    plt.close(figure)


def _luminance(colour: str) -> float:
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in mpl.colors.to_rgb(colour)]
    return sum(weight * c for weight, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


@pytest.mark.parametrize("colour", PALETTE[:4])
def test_first_colours_stand_out_from_paper(colour):
    assert 1.05 / (_luminance(colour) + 0.05) > 2.9


def test_style_sets_the_palette():
    with mpl.rc_context():
        use_style()
        assert mpl.rcParams["axes.prop_cycle"].by_key()["color"] == PALETTE
        assert mpl.rcParams["savefig.facecolor"] == "white"
