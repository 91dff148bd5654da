"""One picture file of a reader's own as an array of bytes, and which kinds of file this machine can read."""

import warnings
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from gdmcourse.data.errors import CorruptFileError, ImageFolderError

if TYPE_CHECKING:
    from PIL.Image import Image

# Kinds of file that hold a picture. Which of them are read is for Pillow to say: HEIC needs a plug-in.
PICTURES = (
    *(".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".bmp", ".gif", ".tif", ".tiff", ".webp", ".avif", ".jp2"),
    *(".heic", ".heif", ".jxl", ".svg", ".psd", ".dng", ".cr2", ".nef", ".arw"),
)
ORIENTATION = 0x0112  # the tag in which a camera says how it was held


@cache
def readable_suffixes() -> tuple[str, ...]:
    """Those of PICTURES that Pillow opens on this machine."""
    from PIL import Image

    known = Image.registered_extensions()
    return tuple(s for s in PICTURES if s in known and known[s] in Image.OPEN)


def read_image(file: Path, size: int | None) -> np.ndarray:
    """One image as bytes of shape (H, W, 1) or (H, W, 3), turned upright as its camera asked.

    With `size` it is scaled to that shorter side and cropped to a square. Raises CorruptFileError and
    ImageFolderError, which name the file.
    """
    from PIL import Image, ImageOps

    try:
        with Image.open(file) as stored:
            image = _opaque(_upright(stored))
            if size is not None:
                image = ImageOps.fit(image, (size, size), Image.Resampling.BICUBIC)
            array = np.asarray(image)
    except ImageFolderError as error:
        raise ImageFolderError(f"{file}: {error}.") from None
    except Exception as error:  # a damaged file ends in many kinds of error, from struct's to zlib's
        raise CorruptFileError(
            f"{file} can't be read as an image ({error}). Delete it, or replace it, and load the folder "
            "again; the others are untouched."
        ) from error
    return array[..., None] if array.ndim == 2 else array


def _upright(stored: "Image") -> "Image":
    """The image as its camera was held; where its tags can't be read, as it is stored."""
    from PIL.Image import Transpose

    turns = {
        2: Transpose.FLIP_LEFT_RIGHT,
        3: Transpose.ROTATE_180,
        4: Transpose.FLIP_TOP_BOTTOM,
        5: Transpose.TRANSPOSE,
        6: Transpose.ROTATE_270,
        7: Transpose.TRANSVERSE,
        8: Transpose.ROTATE_90,
    }
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow warns of tags that it can't make out
            turn = turns.get(stored.getexif().get(ORIENTATION, 1))
    except Exception:  # the tags are damaged; the picture need not be, and is read next
        turn = None
    return stored if turn is None else stored.transpose(turn)


def _opaque(image: "Image") -> "Image":
    """The image in grey or RGB; what is transparent shows white."""
    from PIL import Image

    if image.mode[0] in "IF":
        raise ImageFolderError(f"mode {image.mode} has more than 8 bits a pixel; save it with 8 bits")
    if image.has_transparency_data:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    return image.convert("L" if image.mode in ("1", "L", "LA") else "RGB")
