"""The losses of the minimax game, of logits l with D = σ(l), so that no logarithm meets a zero.

log D = −softplus(−l) and log(1 − D) = −softplus(l). All are to be made small (Goodfellow et al. 2014).
"""

from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import softplus


def discriminator_loss(real: Float[Tensor, " n *one"], fake: Float[Tensor, " m *one"]) -> Float[Tensor, ""]:
    """−E log D(x) − E log(1 − D(G(z))) in nats, of the logits of real and of generated examples."""
    return softplus(-real).mean() + softplus(fake).mean()


def saturating_loss(fake: Float[Tensor, " n *one"]) -> Float[Tensor, ""]:
    """E log(1 − D(G(z))), the generator's side of the game; its gradient dies where D is sure."""
    return -softplus(fake).mean()


def non_saturating_loss(fake: Float[Tensor, " n *one"]) -> Float[Tensor, ""]:
    """−E log D(G(z)): the same fixed point, and a gradient where D is sure."""
    return softplus(-fake).mean()
