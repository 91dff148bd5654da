"""A small image classifier: the network behind the course's scores, its loss, and class accuracy."""

from collections.abc import Iterator
from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn
from torch.nn import functional as F


class Classifier(nn.Module):
    """3×3 convolutions, each followed by a halving of the size; then the features; then the logits.

    `shape` is that of one image, (C, H, W). Images of at least 16 pixels a side get three convolutions,
    smaller ones two. Group norm, not batch norm, so that an image's features depend on that image alone.
    """

    def __init__(self, shape: tuple[int, int, int], classes: int, width: int, features: int) -> None:
        super().__init__()
        self.shape, self.classes = shape, classes
        channels, height, side = shape
        layers: list[nn.Module] = []
        for level in range(3 if min(height, side) >= 16 else 2):
            wider = width * 2**level
            layers += [nn.Conv2d(channels, wider, 3, padding=1), nn.GroupNorm(min(8, width), wider)]
            layers += [nn.ReLU(), nn.MaxPool2d(2)]
            channels, height, side = wider, height // 2, side // 2
        self.convolutions = nn.Sequential(*layers, nn.Flatten(), nn.Dropout(0.3))
        self.penultimate = nn.Linear(channels * height * side, features)
        self.last = nn.Linear(features, classes)

    def features(self, images: Float[Tensor, "n c h w"]) -> Float[Tensor, "n d"]:
        """The penultimate layer for images in [−1, 1]; raises ValueError for images of another shape."""
        if tuple(images.shape[1:]) != self.shape:
            raise ValueError(
                f"the network is for images of shape {self.shape}, not {tuple(images.shape[1:])}"
            )
        return F.silu(self.penultimate(self.convolutions(images)))

    def logits(self, images: Float[Tensor, "n c h w"]) -> Float[Tensor, "n k"]:
        """A logit for each class; their softmax is the network's p(y|x)."""
        return self.last(self.features(images))

    def forward(self, images: Float[Tensor, "n c h w"]) -> Float[Tensor, "n k"]:
        """The logits."""
        return self.logits(images)


def classifier_loss(
    model: nn.Module, batch: tuple[Tensor, Tensor], generator: torch.Generator
) -> Float[Tensor, ""]:
    """Cross-entropy of the logits for a batch (images, labels); draws nothing from the generator."""
    images, labels = batch
    return F.cross_entropy(model(images), labels)


@runtime_checkable
class FeatureNetwork(Protocol):
    """What a score can look through: a network with features (N, d) of images in [−1, 1]."""

    def features(self, images: Float[Tensor, "n c h w"]) -> Float[Tensor, "n d"]:
        """The features."""

    def parameters(self) -> Iterator[nn.Parameter]:
        """The weights, whose device is the network's."""


@torch.no_grad()
def extract_features(
    network: FeatureNetwork, images: Float[Tensor, "n c h w"], batch_size: int = 500
) -> Float[Tensor, "n d"]:
    """The features of any number of images, on the CPU, computed in batches that bound the memory."""
    device = next(network.parameters()).device
    return torch.cat([network.features(part.to(device)).cpu() for part in images.split(batch_size)])


@torch.no_grad()
def class_accuracy(
    network: nn.Module, images: Float[Tensor, "n c h w"], labels: Int64[Tensor, " m"], batch_size: int = 500
) -> float:
    """Share of the images whose largest logit is at the label.

    With generated images and the labels that they were asked for, this is the class accuracy of a conditional
    model. Raises ValueError when there are no images or not as many labels.
    """
    if len(images) == 0 or len(images) != len(labels):
        raise ValueError(
            f"as many labels as images are needed, at least one; got {len(labels)} and {len(images)}"
        )
    device = next(network.parameters()).device
    guesses = torch.cat([network(part.to(device)).argmax(1).cpu() for part in images.split(batch_size)])
    return (guesses == labels.cpu()).double().mean().item()
