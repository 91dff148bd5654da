"""Grids of images, drawn as ink on paper."""

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor


def image_grid(images: Float[Tensor, "n c h w"], columns: int = 10, pad: int = 1) -> np.ndarray:
    """Tile images in [−1, 1] into one array of shape (rows·(h+pad)+pad, columns·(w+pad)+pad[, 3]) in [0, 1].

    Grey images give a 2-D array, colour images a 3-D one. Values outside [−1, 1] are clipped; the gaps and
    the empty places of the last row are 0 (paper, when drawn by `show_images`, or black for colour images).
    """
    n, c, h, w = images.shape
    columns = min(columns, n)
    rows = -(-n // columns)
    canvas = np.zeros((rows * (h + pad) + pad, columns * (w + pad) + pad, c))
    scaled = (images.detach().cpu().float().clamp(-1, 1) + 1).div(2).permute(0, 2, 3, 1).numpy()
    for i, image in enumerate(scaled):
        top, left = pad + (i // columns) * (h + pad), pad + (i % columns) * (w + pad)
        canvas[top : top + h, left : left + w] = image
    return canvas[..., 0] if c == 1 else canvas


def show_images(
    images: Float[Tensor, "n c h w"], columns: int = 10, title: str | None = None, ax: Axes | None = None
) -> Figure:
    """Draw a grid of images in [−1, 1] on `ax`, or on a figure of its own, and return the figure.

    Grey images are drawn as ink on paper: −1 is white and 1 is black.
    """
    grid = image_grid(images, columns)
    if ax is None:
        height = 7.0 * grid.shape[0] / grid.shape[1]
        ax = Figure(figsize=(7.0, height + (0.3 if title else 0)), layout="constrained").subplots()
    ax.imshow(grid, cmap="gray_r", vmin=0, vmax=1, interpolation="none")
    ax.set_axis_off()
    if title:
        ax.set_title(title)
    figure = ax.get_figure(root=True)
    assert figure is not None
    return figure
