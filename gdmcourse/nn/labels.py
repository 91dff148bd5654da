"""Labels as a network takes them: numbers of classes, and the null class that stands for no label."""

from jaxtyping import Int
from torch import Tensor


class NoNullClass(ValueError):
    """A conditional network without a null class was asked for an unconditional prediction."""

    def __init__(self) -> None:
        super().__init__(
            "this network has labels but no null class, so it cannot predict without a label: build it with "
            "null_class=True and drop labels while training"
        )


def check_labels(y: Int[Tensor, " n"], num_classes: int) -> None:
    """Raise ValueError unless every label is in 0 … num_classes − 1."""
    if y.numel() and (int(y.min()) < 0 or int(y.max()) >= num_classes):
        raise ValueError(f"labels must be in 0 … {num_classes - 1}; got {int(y.min())} … {int(y.max())}")


def check_one_each(y: Int[Tensor, " m"], x: Tensor) -> None:
    """Raise ValueError unless there is one label for each image of `x`: one label alone isn't for all."""
    if y.shape != x.shape[:1]:
        raise ValueError(
            f"give one label for each image, not labels of shape {tuple(y.shape)} for {len(x)} images"
        )
