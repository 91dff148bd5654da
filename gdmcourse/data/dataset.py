"""What every loader returns."""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int64, UInt8
from torch import Tensor


@dataclass(frozen=True, repr=False)
class Dataset:
    """One split of a labelled set of images, whole in memory.

    `images` has shape (N, C, H, W) and values in [−1, 1]; `labels` has shape (N,) and indexes `classes`.
    `note` says what a reader of the results has to know of the copy that was read; mostly it is empty.
    """

    name: str
    split: str
    images: Float[Tensor, "n c h w"]
    labels: Int64[Tensor, " n"]
    classes: tuple[str, ...]
    note: str = ""

    def __len__(self) -> int:
        return len(self.images)

    @property
    def class_counts(self) -> dict[str, int]:
        """How many images each class has."""
        counts = torch.bincount(self.labels, minlength=len(self.classes)).tolist()
        return dict(zip(self.classes, counts, strict=True))

    def __repr__(self) -> str:
        shape = "×".join(map(str, self.images.shape[1:]))
        contents = f"{len(self):,} images of {shape}, {len(self.classes)} classes"
        return f"Dataset({self.name}, {self.split}: {contents})"


def from_bytes(pixels: UInt8[Tensor, "n c h w"]) -> Float[Tensor, "n c h w"]:
    """Map pixel values 0 … 255 to [−1, 1], float32; 0 becomes −1 and 255 becomes 1."""
    return pixels.to(torch.float32).div_(127.5).sub_(1.0)
