"""Stacked digits: three digits as the channels of one image, so that there are 1000 modes to find."""

from pathlib import Path

import torch

from gdmcourse.data.dataset import Dataset
from gdmcourse.data.digits import load_digits

SIZES = {"train": 25_600, "test": 10_000}
CLASSES = tuple(f"{number:03d}" for number in range(1000))


def load_stacked(split: str, root: Path | None = None, download: bool = True) -> Dataset:
    """Images 3×8×8 whose channels are three digits of the same split, labelled 0 … 999 as they are read.

    After stacked MNIST (Metz et al. 2017; Lin et al. 2018). Which digits meet is said by a linear
    congruential generator of whole numbers, so it is the same with every version of every package.
    `root` and `download` are for data sets that lie in files.
    """
    digits = load_digits(split)
    chosen = torch.tensor(_numbers(3 * SIZES[split], len(digits))).view(-1, 3)
    labels = digits.labels[chosen] @ torch.tensor([100, 10, 1])
    return Dataset("stacked", split, digits.images[chosen, 0], labels, CLASSES)


def _numbers(n: int, below: int) -> list[int]:
    """`n` whole numbers below `below`, by Knuth's generator modulo 2⁶⁴, of which the upper half is used."""
    state, found = 1, []
    for _ in range(n):
        state = (6364136223846793005 * state + 1442695040888963407) % 2**64
        found.append((state >> 32) % below)
    return found
