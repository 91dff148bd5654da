"""Films of a ball that bounces in a box: a law of four numbers, so that a film can be judged."""

import math

import torch
from jaxtyping import Float
from torch import Generator, Tensor

FRAMES, SIDE = 8, 8
WALLS = (1.0, 6.0)  # between which the ball's middle stays, in pixels, the first being 0
SPEEDS = (0.8, 1.4)  # in pixels a frame
WIDTH = 1.2  # standard deviation of the ball's bell, in pixels


def films(n: int, rng: Generator) -> Float[Tensor, "n 1 t h w"]:
    """`n` films (n, 1, FRAMES, SIDE, SIDE) in [−1, 1]: place uniform, direction uniform, speed uniform."""
    low, high = WALLS
    start = low + (high - low) * torch.rand(n, 2, generator=rng, device=rng.device)
    angle = 2 * math.pi * torch.rand(n, generator=rng, device=rng.device)
    speed = SPEEDS[0] + (SPEEDS[1] - SPEEDS[0]) * torch.rand(n, generator=rng, device=rng.device)
    velocity = speed[:, None] * torch.stack([angle.cos(), angle.sin()], dim=1)
    times = torch.arange(FRAMES, device=rng.device)
    return render(bounced(start[:, None] + velocity[:, None] * times[:, None]))


def bounced(free: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
    """Where a coordinate is that would be at `free` if there were no walls: folded back at each of them."""
    low, high = WALLS
    span = high - low
    return low + span - ((free - low) % (2 * span) - span).abs()


def render(places: Float[Tensor, "n t 2"]) -> Float[Tensor, "n 1 t h w"]:
    """Films of a ball at these places (row, column) of each frame, a bell of height 2 over −1."""
    pixels = torch.arange(SIDE, device=places.device, dtype=places.dtype)
    bells = (-((pixels - places[..., None]) ** 2) / (2 * WIDTH**2)).exp()  # (n, t, 2, SIDE)
    return (2 * bells[:, :, 0, :, None] * bells[:, :, 1, None, :] - 1)[:, None]
