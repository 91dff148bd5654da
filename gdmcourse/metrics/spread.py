"""Spread within a class: how much samples of one kind differ from each other."""

from jaxtyping import Float, Int64
from torch import Tensor

from gdmcourse.metrics.samples import check_features


def within_class_spread(features: Float[Tensor, "n d"], labels: Int64[Tensor, " m"]) -> float:
    """Root of the mean squared distance of features to the mean of their class, in units of the features.

    The squares are pooled over the classes that occur and divided by n less their number, so that few
    samples have the same expected square as many. Raises ValueError unless there are as many labels as rows
    and more rows than classes.
    """
    if len(labels) != len(features):
        raise ValueError(f"as many labels as rows are needed; got {len(labels)} and {len(features)}")
    classes = labels.unique()
    check_features(features, features, least=len(classes) + 1)
    features = features.detach().cpu().double()
    squares = sum(_squares(features[labels.cpu() == k]) for k in classes.tolist())
    return float((squares / (len(features) - len(classes))) ** 0.5)


def _squares(rows: Tensor) -> float:
    return (rows - rows.mean(0)).square().sum().item()
