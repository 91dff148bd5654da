"""Augmentations of what a critic sees, real and generated alike, and how strong they should be."""

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor, nn


def quarter_turned(x: Float[Tensor, "n c h w"], turns: Int64[Tensor, " n"]) -> Float[Tensor, "n c h w"]:
    """Each image turned by so many right angles. Raises ValueError for images that are not square."""
    if x.shape[2] != x.shape[3]:
        raise ValueError(f"quarter turns need square images, not {x.shape[2]}×{x.shape[3]} pixels")
    ways = torch.stack([x.rot90(k, (2, 3)) for k in range(4)])
    return ways[turns % 4, torch.arange(len(x), device=x.device)]


def shifted(
    x: Float[Tensor, "n c h w"], down: Int64[Tensor, " n"], right: Int64[Tensor, " n"]
) -> Float[Tensor, "n c h w"]:
    """Each image moved by so many pixels; what leaves on one side comes in on the other."""
    n, _, height, width = x.shape
    rows = (torch.arange(height, device=x.device) - down[:, None]) % height
    columns = (torch.arange(width, device=x.device) - right[:, None]) % width
    each = torch.arange(n, device=x.device)[:, None, None]
    return x[each, :, rows[:, :, None], columns[:, None, :]].movedim(3, 1)


def augmented(
    x: Float[Tensor, "n c h w"], strength: Float[Tensor, ""] | float, rng: torch.Generator
) -> Float[Tensor, "n c h w"]:
    """Images of which each is turned with probability `strength`, and moved with the same probability.

    A turn is by 0 to 3 right angles, all equally likely; a move is by −1, 0 or 1 pixels down and right, with
    probabilities ¼, ½, ¼. So laws of images can be told apart behind it as long as the strength is below 1:
    the book's equation `eq-style-nonleaking`. Gradients flow through to the images. Raises ValueError for a
    number outside [0, 1].
    """
    if isinstance(strength, float | int) and not 0 <= strength <= 1:
        raise ValueError(f"the strength is a probability in [0, 1], not {strength}")
    n, device = len(x), rng.device

    def chosen() -> Bool[Tensor, " n"]:
        return torch.rand(n, generator=rng, device=device) < strength

    def below(high: int, *shape: int) -> Int64[Tensor, "..."]:
        return torch.randint(high, (*shape, n), generator=rng, device=device)

    coins = below(2, 4)
    moving = chosen()
    x = shifted(x, moving * (coins[0] - coins[1]), moving * (coins[2] - coins[3]))
    return quarter_turned(x, chosen() * below(4))


class Adaptive(nn.Module):
    """The strength of the augmentation, which rises while the critic knows its training images too well.

    `observe` takes the critic's logits of real images; their mean sign r is near 0 for a critic that can't
    tell and 1 for one that is sure of all. Above `target` the strength rises, below it falls, by `step` a
    call and within [0, most]: the book's equation `def-style-ada`. The buffer is held by checkpoints. Raises
    ValueError unless 0 ≤ most < 1, since at 1 the augmentation leaks.
    """

    strength: Tensor

    def __init__(self, target: float = 0.6, step: float = 1e-3, most: float = 0.8) -> None:
        super().__init__()
        if not 0 <= most < 1:
            raise ValueError(f"most must be in [0, 1), not {most}: at strength 1 the augmentation leaks")
        self.target, self.step, self.most = target, step, most
        self.register_buffer("strength", torch.zeros(()))

    @torch.no_grad()
    def observe(self, real: Float[Tensor, " n"]) -> None:
        """Move the strength by a step, for the logits of real images."""
        way = torch.sign(real.sign().mean() - self.target)
        self.strength.add_(self.step * way).clamp_(0, self.most)

    def forward(self, x: Float[Tensor, "n c h w"], rng: torch.Generator) -> Float[Tensor, "n c h w"]:
        """The images, augmented at the present strength."""
        return augmented(x, self.strength, rng)
