"""A player of the training loop: a network, what it makes small, and how it moves."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import torch
from torch import Tensor, nn

Rate = float | Callable[[int], float]  # a learning rate, or one for each step, counted from 1


@dataclass(frozen=True)
class Turn:
    """What a loss is told beside the networks and the batch: the step, from 1, and where noise comes from."""

    step: int
    rng: torch.Generator


# (networks by name as attributes, batch, turn) → a scalar to be made small
PlayerLoss = Callable[[SimpleNamespace, Any, Turn], Tensor]


@dataclass(frozen=True, kw_only=True)
class Player:
    """How the network of the same name in `play` is trained.

    `loss(networks, batch, turn)` gives the scalar that the player makes small; it calls the networks as
    `networks.NAME(…)`, its own and the others', whose weights stand still meanwhile. In one step the player
    makes `moves` updates by AdamW, or by `optimizer` where one is given; with `clip_norm` longer gradients
    are shortened to that norm. `ema_decay` keeps a moving average of its weights. `after_move(network)` may
    change the weights after an update, as clipping them does.
    """

    loss: PlayerLoss
    lr: Rate | None = None  # 1e-3 where nothing is said
    betas: tuple[float, float] = (0.9, 0.999)
    optimizer: torch.optim.Optimizer | None = None
    clip_norm: float | None = None
    moves: int = 1
    ema_decay: float | None = None
    after_move: Callable[[nn.Module], None] | None = None

    def __post_init__(self) -> None:
        """Raise ValueError for what can't be."""
        if self.moves < 1:
            raise ValueError(f"a player makes at least 1 move in a step, not {self.moves}")
        if self.clip_norm is not None and not self.clip_norm > 0:
            raise ValueError(f"clip_norm must be above 0, not {self.clip_norm}")
        if self.optimizer is not None and isinstance(self.lr, float | int):
            raise ValueError("give the learning rate to the optimizer, not to the player as well")

    def settings(self) -> dict[str, Any]:
        """What a checkpoint notes, so that a run with other settings doesn't go on with it."""
        return {
            "lr": None if callable(self.lr) else self.lr,
            "clip_norm": self.clip_norm,
            "moves": self.moves,
            "ema_decay": self.ema_decay,
        }

    def make_optimizer(self, network: nn.Module) -> torch.optim.Optimizer:
        """The optimiser given, or AdamW for the network on its device, fused where torch can."""
        if self.optimizer is not None:
            return self.optimizer
        start = 1e-3 if self.lr is None or callable(self.lr) else self.lr  # a function sets it at each step
        fused = all(parameter.device.type in ("cpu", "cuda") for parameter in network.parameters())
        return torch.optim.AdamW(network.parameters(), start, betas=self.betas, fused=fused)

    def set_rate(self, optimizer: torch.optim.Optimizer, step: int) -> None:
        """Set the learning rate of `step`, if the rate is a function."""
        if callable(self.lr):
            for group in optimizer.param_groups:
                group["lr"] = self.lr(step)


@contextmanager
def frozen(networks: list[nn.Module]) -> Iterator[None]:
    """Within the block the networks' parameters get no gradients; gradients still flow through them."""
    parameters = [p for network in networks for p in network.parameters() if p.requires_grad]
    for parameter in parameters:
        parameter.requires_grad_(False)
    try:
        yield
    finally:
        for parameter in parameters:
            parameter.requires_grad_(True)
