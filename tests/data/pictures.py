"""Folders of made-up pictures, as a reader's own: shapes whose class can be seen."""

from pathlib import Path

import numpy as np
from PIL import Image


def make_pictures(root: Path, classes: int, *, colour: bool, each: int, size: int = 16) -> Path:
    """A folder with `classes` sub-folders of `each` pictures: stripes, each class of its slant and colour."""
    draws = np.random.default_rng(0)
    rows, columns = np.mgrid[:size, :size] / size
    for k in range(classes):
        (root / f"kind{k:02}").mkdir(parents=True)
        angle = np.pi * k / classes
        for i in range(each):
            shift = draws.uniform(0, 2 * np.pi)
            wave = np.sin(12 * (rows * np.sin(angle) + columns * np.cos(angle)) + shift)
            picture = 120 + 90 * wave + draws.normal(0, 8, (size, size))
            if colour:
                tint = np.eye(3)[k % 3] * 0.5 + 0.5
                picture = picture[..., None] * tint
            stored = Image.fromarray(picture.clip(0, 255).astype(np.uint8))
            stored.save(root / f"kind{k:02}" / f"{i:03}.png")
    return root
