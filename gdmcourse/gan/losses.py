"""The losses of adversarial games, of logits; each is made small by the player that it is named for.

With D = σ(logit), log D = −softplus(−logit) and log(1 − D) = −softplus(logit): no logarithm meets a zero.
"""

from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import relu, softplus


def discriminator_loss(real: Float[Tensor, " n *one"], fake: Float[Tensor, " m *one"]) -> Float[Tensor, ""]:
    """−E log D(x) − E log(1 − D(G(z))) in nats, of the logits of real and of generated examples."""
    return softplus(-real).mean() + softplus(fake).mean()


def saturating_loss(fake: Float[Tensor, " n *one"]) -> Float[Tensor, ""]:
    """E log(1 − D(G(z))), the generator's side of the game; its gradient dies where D is sure."""
    return -softplus(fake).mean()


def non_saturating_loss(fake: Float[Tensor, " n *one"]) -> Float[Tensor, ""]:
    """−E log D(G(z)): the same fixed point, and a gradient where D is sure."""
    return softplus(-fake).mean()


def wasserstein_critic_loss(
    real: Float[Tensor, " n *one"], fake: Float[Tensor, " m *one"]
) -> Float[Tensor, ""]:
    """E f(G(z)) − E f(x): minus what the critic f earns, at most W₁ if f is 1-Lipschitz (WGAN)."""
    return fake.mean() - real.mean()


def wasserstein_generator_loss(fake: Float[Tensor, " n *one"]) -> Float[Tensor, ""]:
    """−E f(G(z))."""
    return -fake.mean()


def hinge_critic_loss(real: Float[Tensor, " n *one"], fake: Float[Tensor, " m *one"]) -> Float[Tensor, ""]:
    """E max(0, 1 − f(x)) + E max(0, 1 + f(G(z))): no gradient beyond a margin (Lim and Ye 2017)."""
    return relu(1 - real).mean() + relu(1 + fake).mean()


def relativistic_loss(winner: Float[Tensor, " n *one"], loser: Float[Tensor, " n *one"]) -> Float[Tensor, ""]:
    """−E log σ(winner − loser), over pairs of a real and a generated example (Jolicoeur-Martineau 2019).

    For the critic the real one is to win, for the generator the generated one. Raises ValueError for batches
    of different sizes, which make no pairs.
    """
    if winner.shape != loser.shape:
        raise ValueError(
            "the relativistic loss compares pairs: give as many real logits as generated ones, "
            f"not {tuple(winner.shape)} and {tuple(loser.shape)}"
        )
    return softplus(loser - winner).mean()
