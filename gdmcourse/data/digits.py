"""scikit-learn's 8×8 handwritten digits: the book's default data, installed with the package."""

from pathlib import Path

import torch

from gdmcourse.data.dataset import Dataset
from gdmcourse.data.splits import every_fifth


def load_digits(split: str, root: Path | None = None, download: bool = True) -> Dataset:
    """The 1,797 digits of Alpaydin and Kaynak (1998), 1×8×8, in the split of `every_fifth`: 1,442 and 355.

    The stored values 0 … 16 are mapped to [−1, 1]. The same writers appear in both splits: the test images
    are new images, not new hands. `root` and `download` are for data sets that lie in files.
    """
    from sklearn import datasets

    stored = datasets.load_digits()
    labels = torch.from_numpy(stored.target).long()
    train, test = every_fifth(labels)
    chosen = train if split == "train" else test
    images = torch.from_numpy(stored.images).float().div(8).sub(1)[chosen, None]
    return Dataset("digits", split, images, labels[chosen], tuple("0123456789"))
