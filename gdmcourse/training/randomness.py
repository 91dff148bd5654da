"""One seed, many independent streams of random numbers."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor


def derive_seed(seed: int, *purpose: str | int) -> int:
    """A 32-bit seed for one purpose: streams with different purposes are unrelated though `seed` is the same.

    Weights and noise that both start from the bare seed would be the same numbers.
    """
    text = "/".join(str(part) for part in (seed, *purpose))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big")


@contextmanager
def seeded(seed: int, device: torch.device | str = "cpu") -> Iterator[None]:
    """Within the block, torch's global generators start from `seed`; afterwards they are as they were.

    Use it around the construction of a model, so that its weights depend on the seed and on nothing else.
    """
    device = torch.device(device)
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        torch.manual_seed(seed)
        yield


def random_state(generator: torch.Generator) -> dict[str, Tensor]:
    """The states of `generator` and of torch's global generators, as bytes on the CPU."""
    state = {"generator": generator.get_state(), "cpu": torch.get_rng_state()}
    if generator.device.type == "cuda":
        state["cuda"] = torch.cuda.get_rng_state(generator.device)
    return state


def restore_random_state(generator: torch.Generator, state: dict[str, Tensor]) -> None:
    """Put back what `random_state` read."""
    generator.set_state(state["generator"])
    torch.set_rng_state(state["cpu"])
    if generator.device.type == "cuda" and "cuda" in state:
        torch.cuda.set_rng_state(state["cuda"], generator.device)
