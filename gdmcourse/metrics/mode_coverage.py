"""How many modes of a known mixture samples reach, by the protocol of PacGAN (Lin et al. 2018)."""

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor


class ModeCoverage(NamedTuple):
    """Modes that at least one sample of high quality lies at, and the share of such samples."""

    modes: int
    high_quality: float


def mode_coverage(samples: Float[Tensor, "n d"], means: Float[Tensor, "k d"], std: float) -> ModeCoverage:
    """Count a sample as of high quality within three standard deviations of the mode that is nearest to it.

    Raises ValueError for no samples.
    """
    if len(samples) == 0:
        raise ValueError("mode coverage needs at least one sample")
    distances = torch.cdist(samples.double(), means.double(), compute_mode="donot_use_mm_for_euclid_dist")
    distance, nearest = distances.min(dim=1)
    good = distance <= 3 * std
    return ModeCoverage(len(nearest[good].unique()), good.double().mean().item())
