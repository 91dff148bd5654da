"""Chairs and tables of 8×8×8 voxels: a finite law, whose shapes can all be listed."""

import itertools

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor

SIDE = 8
KINDS = ("chair", "table")


def table(height: int, width: int, depth: int) -> Bool[Tensor, "side side side"]:
    """A top and four legs, in the middle of the floor; the axes are height, depth and width."""
    shape = torch.zeros(SIDE, SIDE, SIDE, dtype=torch.bool)
    left, front = (SIDE - width) // 2, (SIDE - depth) // 2
    right, back = left + width - 1, front + depth - 1
    shape[height, front : back + 1, left : right + 1] = True
    for row, column in itertools.product((front, back), (left, right)):
        shape[:height, row, column] = True
    return shape


def chair(height: int, width: int, depth: int, back: int) -> Bool[Tensor, "side side side"]:
    """A low table with a back of `back` voxels above the seat."""
    shape = table(height, width, depth)
    left, behind = (SIDE - width) // 2, (SIDE - depth) // 2 + depth - 1
    shape[height + 1 : height + 1 + back, behind, left : left + width] = True
    return shape


def furniture() -> tuple[Float[Tensor, "n 1 d h w"], Int64[Tensor, " n"]]:
    """All shapes, as volumes of −1 and 1, and the kind of each, an index into KINDS. No two are equal."""
    chairs = itertools.product((2, 3, 4), (4, 5, 6, 7), (4, 5, 6, 7), (2, 3))
    tables = itertools.product((3, 4, 5, 6), (4, 5, 6, 7, 8), (4, 5, 6, 7, 8))
    shapes = [chair(*sizes) for sizes in chairs]
    kinds = [0] * len(shapes)
    shapes += [table(*sizes) for sizes in tables]
    kinds += [1] * (len(shapes) - len(kinds))
    return 2 * torch.stack(shapes).float()[:, None] - 1, torch.tensor(kinds)
