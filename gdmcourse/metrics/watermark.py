"""A watermark on the levels of an image: a secret coin for each pixel and level, and an exact test for it."""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Int64
from torch import Tensor


@dataclass(frozen=True)
class Found:
    """How many different cells (pixel, level) were seen, how many of them are green, and the p-value."""

    cells: int
    green: int
    p_value: float


def make_key(shape: tuple[int, ...], levels: int, secret: torch.Generator) -> Bool[Tensor, "*shape levels"]:
    """Which levels of each pixel are green: a fair coin for each, from the secret."""
    return torch.rand(*shape, levels, generator=secret) < 0.5


def mark(
    symbols: Int64[Tensor, " n *shape"], key: Bool[Tensor, "*shape levels"]
) -> Int64[Tensor, " n *shape"]:
    """Each level moved to a green neighbour unless it is green; it stays where no neighbour is.

    Raises ValueError as `find_mark`.
    """
    _check(symbols, key)
    levels = key.shape[-1]
    green = key.expand(len(symbols), *key.shape)

    def is_green(level: Tensor) -> Tensor:
        inside = (level >= 0) & (level < levels)
        return inside & green.gather(-1, level.clamp(0, levels - 1)[..., None])[..., 0]

    below, above = symbols - 1, symbols + 1
    moved = torch.where(is_green(above), above, torch.where(is_green(below), below, symbols))
    return torch.where(is_green(symbols), symbols, moved)


def find_mark(symbols: Int64[Tensor, " n *pixels"], key: Bool[Tensor, "*shape levels"]) -> Found:
    """Look for the mark in a set of images; each cell counts once, however many of the images have it.

    For images that were made without the key the p-value is exact: it is ≤ a with a chance ≤ a. Raises
    ValueError for no image, images of another shape, or levels that the key doesn't have. Source:
    `eq-app-watermark`.
    """
    _check(symbols, key)
    seen = torch.zeros_like(key).flatten(0, -2)
    places = torch.arange(len(seen)).expand(len(symbols), -1)
    seen[places, symbols.flatten(1)] = True
    cells, green = int(seen.sum()), int((seen & key.flatten(0, -2)).sum())
    return Found(cells, green, at_least(green, cells))


def at_least(heads: int, coins: int) -> float:
    """The chance of so many heads or more among fair coins, exactly."""
    ways = total = math.comb(coins, heads)
    for k in range(heads, coins):
        ways = ways * (coins - k) // (k + 1)
        total += ways
    return total / 2**coins


def _check(symbols: Tensor, key: Tensor) -> None:
    levels = key.shape[-1]
    if not len(symbols):
        raise ValueError("there is no image; give at least one")
    if symbols.shape[1:] != key.shape[:-1] or symbols.min() < 0 or symbols.max() >= levels:
        raise ValueError(
            f"the key is for images {tuple(key.shape[:-1])} of {levels} levels, and these are "
            f"{tuple(symbols.shape[1:])} from {int(symbols.min())} to {int(symbols.max())}"
        )
