"""What every score of samples asks of the two sets of features that it compares."""

import torch
from torch import Tensor


def check_features(features: Tensor, reference: Tensor, least: int) -> None:
    """Raise ValueError unless both sets have at least `least` rows, one width, and finite numbers."""
    if features.shape[1] != reference.shape[1]:
        raise ValueError(
            f"both sets need the same features, but they have {features.shape[1]} and {reference.shape[1]}"
        )
    for name, rows in (("samples", features), ("reference images", reference)):
        if len(rows) < least:
            raise ValueError(f"at least {least} {name} are needed for this score, not {len(rows)}")
        if not torch.isfinite(rows).all():
            raise ValueError(f"the features of the {name} are not all finite; did the sampler diverge?")
