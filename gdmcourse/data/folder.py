"""A reader's own images: a folder, with one sub-folder per class or without any, and parted or not."""

import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch

from gdmcourse.data.dataset import Dataset, from_bytes
from gdmcourse.data.errors import CorruptFileError, ImageFolderError
from gdmcourse.data.image_file import PICTURES, read_image, readable_suffixes
from gdmcourse.data.splits import every_fifth

# Sub-folders that part a data set, as many are handed out; the first name of each row that is there counts.
PARTS = {"train": ("train", "training"), "test": ("test", "testing", "val", "valid", "validation")}
# Folders in which other programs keep small copies.
COPIES = ("__MACOSX", "@eaDir")
NAMED = 5  # damaged files that an error names


def image_folder(path: str | Path, size: int | None = None, split: str | None = None) -> Dataset:
    """Read every image below `path` into one data set, (N, C, H, W) in [−1, 1].

    Images in sub-folders belong to the class of that name; images directly in `path` to one class named after
    it. With `size`, each image is scaled so that its shorter side has `size` pixels, and cropped around its
    centre to a square; without it all must have the same size. Grey images give one channel, unless a colour
    image is among them. `split` "train" or "test" gives that part: of the folder itself where it has the
    sub-folders train and test (or val), else of the fixed split of `every_fifth`. Hidden folders are left
    out, and so is what Pillow can't read here, such as HEIC: the data set's `note` then says so.

    Raises ImageFolderError for a folder that is absent, empty or of mixed sizes, CorruptFileError for files
    that can't be read, which it names.
    """
    path = Path(path).expanduser()
    if split not in (None, "train", "test"):
        raise ValueError(f"split is {split!r}; it must be 'train', 'test', or None for all images")
    if size is not None and (not isinstance(size, int) or size < 1):
        raise ValueError(f"size is {size}; it must be a whole number, at least one pixel")
    if not path.is_dir():
        raise ImageFolderError(f"{path} is not a folder. Give the folder that holds the images.")
    path = path.resolve()
    parts = _parts(path)
    found = [(part, *image) for part, folder in parts.items() for image in _labelled(folder, path.name)]
    _require_classes_in_all(parts, found, path)
    if not found:
        raise ImageFolderError(
            f"{path} holds no images that can be read. {_left_out(path) or _what_is_read()}"
        )
    classes = tuple(sorted({name for _, name, _ in found}))
    files = [file for _, _, file in found]
    labels = torch.tensor([classes.index(name) for _, name, _ in found])
    arrays = _read_all(files, size)
    images = torch.from_numpy(np.stack(arrays)).permute(0, 3, 1, 2)
    if split:
        chosen = _chosen(split, [part for part, _, _ in found], labels, path)
        images, labels = images[chosen], labels[chosen]
    pixels = from_bytes(images).contiguous()
    return Dataset(path.name, split or "all", pixels, labels, classes, _left_out(path, parts))


def _parts(path: Path) -> dict[str, Path]:
    """The folders of the parts "train" and "test", or the folder as a whole under the name "all"."""
    below = {folder.name.lower(): folder for folder in _folders(path) if _images(folder, deep=True)}
    known = {name for names in PARTS.values() for name in names}
    if not below or not set(below) <= known or _images(path, deep=False):
        return {"all": path}
    parts = {
        part: next(below[name] for name in names if name in below)
        for part, names in PARTS.items()
        if any(name in below for name in names)
    }
    if len(parts) == 2:
        return parts
    (alone,) = parts.values()  # as in train/cat, train/dog; but train/*.png may be pictures of trains
    return {"all": alone if any(_images(folder, deep=True) for folder in _folders(alone)) else path}


def _labelled(path: Path, alone: str) -> list[tuple[str, Path]]:
    """Each image with the name of its class, in alphabetical order; without sub-folders that is `alone`."""
    below = [(folder.name, file) for folder in _folders(path) for file in _images(folder, deep=True)]
    loose = list(_images(path, deep=False))
    if below and loose:
        raise ImageFolderError(
            f"{path} holds both sub-folders of images and single images such as {loose[0].name}. "
            "Move these into a sub-folder, so that each image has a class."
        )
    return below or [(alone, file) for file in loose]


def _folders(path: Path) -> list[Path]:
    return sorted(f for f in path.iterdir() if f.is_dir() and f.name[0] != "." and f.name not in COPIES)


def _images(path: Path, deep: bool) -> list[Path]:
    return sorted(f for f in _pictures(path, deep) if f.suffix.lower() in readable_suffixes())


def _pictures(path: Path, deep: bool = True) -> Iterator[Path]:
    """All picture files, also of the kinds that can't be read, outside of hidden folders."""
    for folder, below, files in os.walk(path):
        below[:] = [name for name in below if deep and name[0] != "." and name not in COPIES]
        yield from (Path(folder, f) for f in files if f[0] != "." and Path(f).suffix.lower() in PICTURES)


def _require_classes_in_all(parts: dict[str, Path], found: list[tuple[str, str, Path]], path: Path) -> None:
    """Raise ImageFolderError where one part has sub-folders of classes and the other has none."""
    without = {part for part, name, file in found if file.parent == parts[part]}
    if len(without) == 1 and len(parts) == 2:
        raise ImageFolderError(
            f"{parts[without.pop()]} holds images without classes, and the other part of {path} has "
            "sub-folders of classes; give both the same"
        )


def _left_out(path: Path, parts: dict[str, Path] | None = None) -> str:
    """Sentences about pictures that are there and are not in the data set, or nothing."""
    unused = [f.name for f in _folders(path) if parts and "test" in parts and f not in parts.values()]
    said = (
        [f"Left out, since {parts['test'].name} is for testing: {', '.join(unused)}."]
        if parts and unused
        else []
    )
    suffixes = (file.suffix.lower() for file in _pictures(path))
    kinds = Counter(suffix for suffix in suffixes if suffix not in readable_suffixes())
    if kinds:
        counts = ", ".join(f"{count} {suffix}" for suffix, count in sorted(kinds.items()))
        said.append(f"Left out, since they can't be read here: {counts}. Save them as PNG or JPEG.")
    return " ".join(said)


def _what_is_read() -> str:
    return f"Files ending in {', '.join(readable_suffixes())} are read."


def _read_all(files: list[Path], size: int | None) -> list[np.ndarray]:
    """Every image, of one size and with as many channels. All damaged files are found before one is told."""
    arrays, damaged = [], list[CorruptFileError]()
    for file in files:
        try:
            arrays.append(read_image(file, size))
        except CorruptFileError as error:
            damaged.append(error)
    if damaged:
        more = len(damaged) - NAMED
        rest = [f"There are {more} more."] if more > 0 else []
        raise CorruptFileError("\n".join([*map(str, damaged[:NAMED]), *rest])) from damaged[0]
    _require_one_size(files, arrays)
    if any(array.shape[2] == 3 for array in arrays):
        arrays = [np.broadcast_to(array, (*array.shape[:2], 3)) for array in arrays]
    return arrays


def _chosen(split: str, parts: list[str], labels: torch.Tensor, path: Path) -> torch.Tensor:
    """The indices of a part: the folder's own, or that of the fixed split."""
    if "all" in parts:
        chosen = every_fifth(labels)[split == "test"]
        if len(chosen) == 0:
            raise ImageFolderError(
                f"{path} has no class of five images, so that every fifth would be for testing; add images, "
                "or sub-folders train and test"
            )
        return chosen
    chosen = torch.tensor([part == split for part in parts]).nonzero().flatten()
    if len(chosen) == 0:
        raise ImageFolderError(f"{path} has no images in its part for {split}ing")
    return chosen


def _require_one_size(files: list[Path], arrays: list[np.ndarray]) -> None:
    height, width = arrays[0].shape[:2]
    for file, array in zip(files, arrays, strict=True):
        if array.shape[:2] != (height, width):
            raise ImageFolderError(
                f"The images differ in size: {files[0].name} is {width}×{height} and {file.name} is "
                f"{array.shape[1]}×{array.shape[0]}. Pass size=32, say, to scale and crop all of them."
            )
