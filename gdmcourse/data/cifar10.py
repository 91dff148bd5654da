"""CIFAR-10: the original through torchvision, or a recompressed copy in one archive."""

import hashlib
import lzma
import os
import tarfile
import tempfile
from pathlib import Path

import torch

from gdmcourse.data.dataset import Dataset, from_bytes
from gdmcourse.data.fetch import corrupt, not_here, verify
from gdmcourse.data.fetch import download as download_into
from gdmcourse.data.folder import image_folder
from gdmcourse.data.roots import cache_folder

ARCHIVE = "cifar10-images.tar.xz"
WANTED = f"cifar-10-batches-py/ or {ARCHIVE}"
RECOMPRESSED = f"read from {ARCHIVE}: recompressed as JPEG, so good for comparisons, not for published FIDs"


def find_cifar10(root: Path) -> Path | None:
    """The folder with the original files, or the archive where only that is there, or None."""
    original, archive = root / "cifar-10-batches-py", root / ARCHIVE
    return original if original.is_dir() else archive if archive.is_file() else None


def load_cifar10(split: str, root: Path, download: bool) -> Dataset:
    """CIFAR-10 (Krizhevsky 2009), 3×32×32, in its own split of 50,000 and 10,000.

    Reads the original `root/cifar-10-batches-py/`. Where only the archive `root/cifar10-images.tar.xz` is
    there, it is unpacked into the user's cache once and read from there: that copy was recompressed as JPEG,
    so its pixels are not the original ones. Scores from it compare models with each other and must not be set
    beside published FIDs; `Dataset.note` says so. Where neither is there, and `download` is set, the original
    is downloaded. Raises MissingDataError and CorruptFileError.
    """
    found = find_cifar10(root)
    if found is None and not download:
        raise not_here("cifar10", root, WANTED)
    return _from_archive(found, split) if found and found.name == ARCHIVE else _original(split, root)


def _original(split: str, root: Path) -> Dataset:
    from torchvision.datasets import CIFAR10

    base = root / CIFAR10.base_folder
    files = dict([*CIFAR10.train_list, *CIFAR10.test_list, [CIFAR10.meta["filename"], CIFAR10.meta["md5"]]])
    # torchvision unpickles these files: only those that are the published ones to the bit get that far.
    for file, digest in files.items():
        if (base / file).is_file():
            verify(base / file, "md5", digest)
    if not all((base / file).is_file() for file in files):
        download_into("cifar10", root, WANTED, lambda: CIFAR10(str(root), download=True))
    stored = CIFAR10(str(root), train=split == "train")
    images = from_bytes(torch.from_numpy(stored.data).permute(0, 3, 1, 2)).contiguous()
    return Dataset("cifar10", split, images, torch.tensor(stored.targets), tuple(stored.classes))


def _from_archive(archive: Path, split: str) -> Dataset:
    folder = image_folder(unpack(archive) / split)
    return Dataset("cifar10", split, folder.images, folder.labels, folder.classes, RECOMPRESSED)


def unpack(archive: Path) -> Path:
    """Unpack the archive into the user's cache, unless it is there, and return the folder.

    The folder's name holds the archive's digest and appears only once everything is in it, so a run that was
    interrupted, or two at the same time, leave nothing half done. Raises CorruptFileError.
    """
    with archive.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()[:16]
    target = cache_folder() / f"cifar10-images-{digest}"
    if target.is_dir():
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix="unpacking-") as scratch:
        inside = Path(scratch) / "images"
        try:
            with tarfile.open(archive, "r:xz") as tar:
                tar.extractall(inside, filter="data")
        except (tarfile.TarError, lzma.LZMAError, EOFError) as error:
            raise corrupt(archive, f"it can't be unpacked ({error})") from error
        try:
            os.replace(inside, target)
        except OSError:
            if not target.is_dir():  # else another process was faster, with the same contents
                raise
    return target
