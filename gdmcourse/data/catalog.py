"""The named data sets, and the one function that loads any of them."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from gdmcourse.data.cifar10 import find_cifar10, load_cifar10
from gdmcourse.data.dataset import Dataset
from gdmcourse.data.digits import load_digits
from gdmcourse.data.errors import UnknownDatasetError
from gdmcourse.data.folder import image_folder
from gdmcourse.data.mnist import find_mnist, load_mnist
from gdmcourse.data.roots import data_root
from gdmcourse.data.stacked import load_stacked
from gdmcourse.data.toys import TOYS


@dataclass(frozen=True)
class Entry:
    """What is known of a data set before it is loaded: its image's shape, its sizes, where it would lie."""

    shape: tuple[int, int, int]
    train: int
    test: int
    find: Callable[[Path], Path | str | None]
    load: Callable[[str, Path, bool], Dataset]
    classes: int = 10


CATALOG = {
    "digits": Entry((1, 8, 8), 1442, 355, lambda root: "scikit-learn", load_digits),
    "mnist": Entry((1, 28, 28), 60000, 10000, find_mnist, load_mnist),
    "cifar10": Entry((3, 32, 32), 50000, 10000, find_cifar10, load_cifar10),
    "stacked": Entry((3, 8, 8), 25600, 10000, lambda root: "scikit-learn", load_stacked, 1000),
}


def is_folder(name: str) -> bool:
    """Whether `name` is no data set's but the path of a folder, of a reader's own images."""
    return name not in CATALOG and Path(name).expanduser().is_dir()


def load(
    name: str,
    split: str = "train",
    root: str | Path | None = None,
    download: bool = True,
    *,
    size: int | None = None,
) -> Dataset:
    """Load one split of a data set: "digits", "mnist", "cifar10", "stacked", or the path of a folder.

    The splits are fixed. Files are looked for in `root`, else in the folder that `GDMCOURSE_DATA` names, else
    in the user's cache; what is absent is downloaded unless `download` is false. Digits need neither,
    alone or stacked, three as the channels of one image.
    A folder is read by `image_folder`, its images scaled and cropped to `size`; the others have a size.

    Raises UnknownDatasetError, which lists the names, MissingDataError, which says what to set, and
    CorruptFileError, which names the file; all of them are ValueErrors.
    """
    if is_folder(name):
        return image_folder(name, size, split)
    if size is not None and name in CATALOG:
        raise ValueError(f"{name} has images of its own size; a size is for a folder of images")
    if name not in CATALOG:
        toy = f"{name} is a 2-D toy: call toy({name!r}, n, generator). " if name in TOYS else ""
        raise UnknownDatasetError(
            f"There is no data set {name!r}. {toy}The names are {', '.join(CATALOG)}; a folder of your own "
            "images is read by its path, or by image_folder(path, size=32)."
        )
    if split not in ("train", "test"):
        raise ValueError(f"split is {split!r}; it must be 'train' or 'test'")
    return CATALOG[name].load(split, data_root(root), download)
