"""A reader's own images: a folder, with one sub-folder per class or without any."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch

from gdmcourse.data.dataset import Dataset, from_bytes
from gdmcourse.data.errors import CorruptFileError, ImageFolderError
from gdmcourse.data.splits import every_fifth

if TYPE_CHECKING:
    from PIL.Image import Image

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp")


def image_folder(path: str | Path, size: int | None = None, split: str | None = None) -> Dataset:
    """Read every image below `path` into one data set, (N, C, H, W) in [−1, 1].

    Images in sub-folders belong to the class of that name; images directly in `path` to one class named after
    it. With `size`, each image is scaled so that its shorter side has `size` pixels, and cropped around its
    centre to a square; without it all must have the same size. Grey images give one channel, unless a colour
    image is among them. `split` "train" or "test" gives that part of the fixed split of `every_fifth`.

    Raises ImageFolderError for a folder that is absent, empty or of mixed sizes, CorruptFileError for a file
    that can't be read.
    """
    path = Path(path).expanduser()
    if split not in (None, "train", "test"):
        raise ValueError(f"split is {split!r}; it must be 'train', 'test', or None for all images")
    if size is not None and size < 1:
        raise ValueError(f"size is {size}; it must be at least one pixel")
    classes = _image_files(path)
    files = [file for members in classes.values() for file in members]
    arrays = [_read(file, size) for file in files]
    _require_one_size(files, arrays)
    labels = torch.repeat_interleave(torch.tensor([len(members) for members in classes.values()]))
    if any(array.shape[2] == 3 for array in arrays):
        arrays = [np.broadcast_to(array, (*array.shape[:2], 3)) for array in arrays]
    images = torch.from_numpy(np.stack(arrays)).permute(0, 3, 1, 2)
    if split:
        train, test = every_fifth(labels)
        chosen = train if split == "train" else test
        images, labels = images[chosen], labels[chosen]
    return Dataset(path.name, split or "all", from_bytes(images).contiguous(), labels, tuple(classes))


def _image_files(path: Path) -> dict[str, list[Path]]:
    """The image files of each class, both in alphabetical order."""
    if not path.is_dir():
        raise ImageFolderError(f"{path} is not a folder. Give the folder that holds the images.")
    below = {folder.name: folder for folder in sorted(path.iterdir()) if folder.is_dir()}
    found = {name: _images(folder.rglob("*")) for name, folder in below.items() if name[0] != "."}
    found = {name: files for name, files in found.items() if files}
    loose = _images(path.iterdir())
    if found and loose:
        raise ImageFolderError(
            f"{path} holds both sub-folders of images and single images such as {loose[0].name}. "
            "Move these into a sub-folder, so that each image has a class."
        )
    if loose:
        return {path.name: loose}
    if not found:
        raise ImageFolderError(f"{path} holds no images. Files ending in {', '.join(SUFFIXES)} are read.")
    return found


def _images(paths: Iterable[Path]) -> list[Path]:
    return sorted(p for p in paths if p.suffix.lower() in SUFFIXES and p.name[0] != "." and p.is_file())


def _read(file: Path, size: int | None) -> np.ndarray:
    """One image as bytes of shape (H, W, 1) or (H, W, 3), turned upright as its camera asked."""
    from PIL import Image, ImageOps

    try:
        with Image.open(file) as stored:
            image = _opaque(ImageOps.exif_transpose(stored))
    except ImageFolderError as error:
        raise ImageFolderError(f"{file}: {error}.") from None
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise CorruptFileError(
            f"{file} can't be read as an image ({error}). Delete it, or replace it, and load the folder "
            "again; the others are untouched."
        ) from error
    if size is not None:
        image = ImageOps.fit(image, (size, size), Image.Resampling.BICUBIC)
    array = np.asarray(image)
    return array[..., None] if array.ndim == 2 else array


def _opaque(image: "Image") -> "Image":
    """The image in grey or RGB; what is transparent shows white."""
    from PIL import Image

    if image.mode[0] in "IF":
        raise ImageFolderError(f"mode {image.mode} has more than 8 bits a pixel; save it with 8 bits")
    if image.has_transparency_data:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    return image.convert("L" if image.mode in ("1", "L", "LA") else "RGB")


def _require_one_size(files: list[Path], arrays: list[np.ndarray]) -> None:
    height, width = arrays[0].shape[:2]
    for file, array in zip(files, arrays, strict=True):
        if array.shape[:2] != (height, width):
            raise ImageFolderError(
                f"The images differ in size: {files[0].name} is {width}×{height} and {file.name} is "
                f"{array.shape[1]}×{array.shape[0]}. Pass size=32, say, to scale and crop all of them."
            )
