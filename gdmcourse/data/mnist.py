"""MNIST, read and downloaded by torchvision."""

from pathlib import Path

from gdmcourse.data.dataset import Dataset, from_bytes
from gdmcourse.data.fetch import download as download_into
from gdmcourse.data.fetch import not_here, verify

# SHA-256 of the published files, unpacked.
FILES = {
    "train": {
        "train-images-idx3-ubyte": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
        "train-labels-idx1-ubyte": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    },
    "test": {
        "t10k-images-idx3-ubyte": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
        "t10k-labels-idx1-ubyte": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
    },
}
WANTED = "MNIST/raw/*-ubyte"


def find_mnist(root: Path) -> Path | None:
    """The folder with MNIST's four files, or None where one of them is absent."""
    raw = root / "MNIST" / "raw"
    return raw if all((raw / file).is_file() for files in FILES.values() for file in files) else None


def load_mnist(split: str, root: Path, download: bool) -> Dataset:
    """MNIST (LeCun et al. 1998), 1×28×28, in its own split of 60,000 and 10,000.

    Reads `root/MNIST/raw/*-ubyte`, downloading the files when they are absent and `download` is set. Each
    file is compared with the published one. Raises MissingDataError and CorruptFileError.
    """
    from torchvision.datasets import MNIST

    if find_mnist(root) is None:
        if not download:
            raise not_here("mnist", root, WANTED)
        download_into("mnist", root, WANTED, lambda: MNIST(str(root), download=True))
    for file, digest in FILES[split].items():
        verify(root / "MNIST" / "raw" / file, "sha256", digest)
    stored = MNIST(str(root), train=split == "train")
    return Dataset("mnist", split, from_bytes(stored.data[:, None]), stored.targets, tuple("0123456789"))
