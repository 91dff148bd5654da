"""Penalties on the gradient of a critic with respect to its input: one norm for each example of the batch."""

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor, nn

from gdmcourse.gan.minibatch import MinibatchDiscrimination

Critic = Callable[[Tensor], Tensor]  # examples (n, …) → one logit each, (n,)
# (critic, real, fake, rng) → what is added to the critic's loss, before its weight
Penalty = Callable[[Critic, Tensor, Tensor, torch.Generator], Tensor]


def input_gradients(critic: Critic, x: Float[Tensor, " n *shape"]) -> Float[Tensor, "n d"]:
    """∇ₓ f(x) of each example, flattened, through which gradients flow on to the critic's weights.

    Raises ValueError for a critic with batch norm in training, or with minibatch discrimination: its logit of
    one example depends on the others, so no gradient belongs to one example (a function can't be looked at).
    """
    if isinstance(critic, nn.Module):
        check_one_by_one(critic)
    x = x.detach().requires_grad_()
    (gradients,) = torch.autograd.grad(critic(x).sum(), x, create_graph=True)
    return gradients.flatten(1)


def check_one_by_one(critic: nn.Module) -> None:
    """Raise ValueError where a layer of the critic normalises over the batch, or compares its examples."""
    for name, layer in critic.named_modules():
        if isinstance(layer, MinibatchDiscrimination):
            raise ValueError(
                f"the critic's layer {name} compares the examples of a batch, and a gradient penalty needs a "
                "logit that depends on one example alone: build the critic without it"
            )
        if isinstance(layer, nn.modules.batchnorm._BatchNorm) and layer.training:
            raise ValueError(
                f"the critic's layer {name} is a batch norm, and a gradient penalty needs a logit that "
                "depends on one example alone: build the critic without batch norm"
            )


def unit_norm_penalty(
    critic: Critic, real: Float[Tensor, " n *shape"], fake: Float[Tensor, " m *shape"], rng: torch.Generator
) -> Float[Tensor, ""]:
    """E (‖∇f(x̂)‖ − 1)² at a random point x̂ between each real and its generated example (WGAN-GP).

    Each pair has a share of its own (Gulrajani et al. 2017). Where a gradient is 0, the norm's own is taken
    as 0. Raises ValueError for batches of different shapes.
    """
    if real.shape != fake.shape:
        raise ValueError(
            "one generated example for each real one is wanted, of the same shape, not "
            f"{tuple(fake.shape)} for {tuple(real.shape)}"
        )
    share = torch.rand(
        len(real), *[1] * (real.dim() - 1), generator=rng, device=real.device, dtype=real.dtype
    )
    gradients = input_gradients(critic, share * real + (1 - share) * fake)
    return (torch.linalg.vector_norm(gradients, dim=1) - 1).square().mean()


def zero_norm_penalty(critic: Critic, x: Float[Tensor, " n *shape"]) -> Float[Tensor, ""]:
    """½ E ‖∇f(x)‖², R1 where x is real and R2 where it is generated (Mescheder et al. 2018)."""
    return input_gradients(critic, x).square().sum(1).mean() / 2


PENALTIES: dict[str, Penalty] = {
    "unit-norm": unit_norm_penalty,
    "r1": lambda critic, real, fake, rng: zero_norm_penalty(critic, real),
    "r1+r2": lambda critic, real, fake, rng: (
        zero_norm_penalty(critic, real) + zero_norm_penalty(critic, fake)
    ),
}


def find_penalty(name: str) -> Penalty:
    """The penalty of that name; for an unknown one raises ValueError, which lists the known."""
    if name not in PENALTIES:
        raise ValueError(f"there is no penalty {name!r}; there are: {', '.join(PENALTIES)}")
    return PENALTIES[name]
