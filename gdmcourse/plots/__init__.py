"""Figures of the book: one palette, one style, grids of images, and the frame slider."""

from gdmcourse.plots.images import image_grid, show_images
from gdmcourse.plots.style import INK, PALETTE, SEQUENTIAL, use_style

__all__ = ["INK", "PALETTE", "SEQUENTIAL", "image_grid", "show_images", "use_style"]
