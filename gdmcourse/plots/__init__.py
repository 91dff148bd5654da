"""Figures of the book: one palette, one style, grids of images, and the frame slider."""

from gdmcourse.plots.frames import frames
from gdmcourse.plots.images import image_grid, show_images
from gdmcourse.plots.style import INK, PALETTE, SEQUENTIAL, use_style

__all__ = ["INK", "PALETTE", "SEQUENTIAL", "frames", "image_grid", "show_images", "use_style"]
