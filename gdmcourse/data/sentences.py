"""A small corpus for models of text: the sentences of this course, in small letters, formulas as "x"."""

from pathlib import Path

import torch
from jaxtyping import Int64
from torch import Tensor

CHARACTERS = "\n abcdefghijklmnopqrstuvwxyz0123456789.,;:?'()-"


def sentences(split: str) -> str:
    """About 200,000 characters, a sentence a line; every tenth sentence is in the split "test".

    Raises ValueError for another split than "train" and "test".
    """
    if split not in ("train", "test"):
        raise ValueError(f"split is {split!r}; it must be 'train' or 'test'")
    lines = Path(__file__).with_suffix(".txt").read_text(encoding="utf-8").splitlines()
    held_out = lines[9::10]
    chosen = held_out if split == "test" else [line for at, line in enumerate(lines) if at % 10 != 9]
    return "\n".join(chosen) + "\n"


def encode(text: str) -> Int64[Tensor, " length"]:
    """The number of each character. Raises ValueError for one that isn't among CHARACTERS."""
    unknown = set(text) - set(CHARACTERS)
    if unknown:
        raise ValueError(f"{min(unknown)!r} is none of the characters {CHARACTERS!r}")
    return torch.tensor([CHARACTERS.index(character) for character in text], dtype=torch.long)


def decode(x: Int64[Tensor, " length"]) -> str:
    """The text of a row of numbers."""
    return "".join(CHARACTERS[number] for number in x.tolist())


def windows(text: str, length: int, step: int) -> Int64[Tensor, "n length"]:
    """Pieces of `length` characters, each beginning `step` after the one before; a rest is left out."""
    return encode(text).unfold(0, length, step)
