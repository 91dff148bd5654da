"""What a critic may know of the other examples of its batch, so that it sees a generator repeat itself."""

import torch
from jaxtyping import Float
from torch import Tensor, nn


class MinibatchDiscrimination(nn.Module):
    """Adds to the features (N, A) of each example `kernels` numbers that say how close the others are.

    A learned map takes the features to rows M_ib of `dim` numbers, and example i is told
    Σ_{j≠i} exp(−‖M_ib − M_jb‖₁) for each b. (Salimans et al. 2016 also add the example itself, a 1
    everywhere.) Raises ValueError for a batch of one.
    """

    def __init__(self, features: int, kernels: int = 16, dim: int = 4) -> None:
        super().__init__()
        self.kernels, self.dim = kernels, dim
        self.map = nn.Linear(features, kernels * dim, bias=False)

    def forward(self, features: Float[Tensor, "n a"]) -> Float[Tensor, "n a_and_kernels"]:
        """The features, and the closeness beside them."""
        if len(features) < 2:
            raise ValueError("minibatch discrimination compares examples: give the critic at least two")
        rows = self.map(features).unflatten(1, (self.kernels, self.dim))
        rows = rows.transpose(0, 1).contiguous()
        closeness = (-torch.cdist(rows, rows, p=1)).exp().sum(2) - 1  # without that of the example to itself
        return torch.cat([features, closeness.T], dim=1)
