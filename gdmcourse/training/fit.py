"""Training of one network on one loss: the loop of `play` with a single player."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from gdmcourse.training.batches import Data
from gdmcourse.training.history import History
from gdmcourse.training.play import play
from gdmcourse.training.player import Player, PlayerLoss, Rate, Turn

if TYPE_CHECKING:
    import lightning_fabric

Loss = Callable[[nn.Module, Any, torch.Generator], Tensor]  # (model, batch, rng) → a scalar


@dataclass(frozen=True)
class Result:
    """What `fit` returns: the model, its average (None without EMA), the history, and the seconds it took.

    Both networks are in evaluation mode and on the device they were trained on. `seconds` counts all the
    sessions of a resumed run.
    """

    model: nn.Module
    ema: nn.Module | None
    history: History
    seconds: float

    @property
    def best(self) -> nn.Module:
        """The network to use: the average where there is one."""
        return self.ema or self.model


def fit(
    model: nn.Module,
    loss: Loss,
    data: Data,
    *,
    steps: int,
    batch_size: int,
    lr: Rate | None = None,
    optimizer: torch.optim.Optimizer | None = None,
    seed: int = 0,
    ema_decay: float | None = None,
    clip_norm: float | None = None,
    checkpoint: str | Path | None = None,
    save_every: int = 500,
    fabric: "lightning_fabric.Fabric | None" = None,
    log_every: int = 10,
    progress: bool | None = None,
    compile: bool = False,
) -> Result:
    """Train `model` (in place) for `steps` batches of `data` and return it with its history.

    `loss(model, batch, rng)` gives a scalar; it draws its noise from `rng`, on the batch's device, and calls
    `model(…)` rather than other methods, which would bypass precision and several processes. `lr` is a number
    (1e-3 where nothing is said) or a function of the step; AdamW unless an `optimizer` is given. With
    `clip_norm` longer gradients are shortened to that norm. All else is as in `play`, which also says what is
    raised.
    """
    player = Player(loss=for_one(loss), lr=lr, optimizer=optimizer, clip_norm=clip_norm, ema_decay=ema_decay)
    played = play(
        {"model": model},
        {"model": player},
        data,
        steps=steps,
        batch_size=batch_size,
        seed=seed,
        checkpoint=checkpoint,
        save_every=save_every,
        fabric=fabric,
        log_every=log_every,
        progress=progress,
        compile=compile,
    )
    return Result(model, played.averages.get("model"), played.history, played.seconds)


def for_one(loss: Loss) -> PlayerLoss:
    """The loss of the player `model` that looks at its own network alone."""

    def alone(networks: SimpleNamespace, batch: Any, turn: Turn) -> Tensor:
        return loss(networks.model, batch, turn.rng)

    return alone
