"""The loop that trains one network on one loss."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from gdmcourse.nn.ema import EMA
from gdmcourse.training.batches import Batches, Data
from gdmcourse.training.device import make_fabric
from gdmcourse.training.history import History
from gdmcourse.training.run import Run

if TYPE_CHECKING:
    import lightning_fabric

Loss = Callable[[nn.Module, Any, torch.Generator], Tensor]  # (model, batch, generator) → a scalar
Rate = float | Callable[[int], float]  # a learning rate, or one for each step, counted from 1


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

    `loss(model, batch, generator)` gives a scalar; it draws its noise from `generator`, on the batch's
    device, and calls `model(…)` rather than other methods, which would bypass precision and several
    processes. `data` is a tensor or a tuple of tensors of one length, and a batch has the same form. `lr`
    is a number (1e-3 where nothing is said) or a function of the step; AdamW unless an `optimizer` is
    given. With `clip_norm` longer gradients are shortened to that norm. With a `checkpoint` folder the run
    saves itself every `save_every` steps and at its end, and continues from what it finds there. `progress`
    shows a bar; left out, only to people. The same arguments give the same numbers on the CPU, whether
    interrupted or not.

    Raises NonFiniteLoss when a loss or a weight stops being a number, and ValueError for arguments that
    don't fit.
    """
    fabric = fabric or make_fabric()
    batches = Batches(data, batch_size, seed, fabric)
    optimizer = make_optimizer(model.to(fabric.device), lr, optimizer)
    network, stepper = set_up(fabric, model, optimizer, compile)
    ema = EMA(model, ema_decay) if ema_decay is not None else None
    with Run(
        fabric,
        batches,
        {"model": model},
        {"optimizer": optimizer},
        ema,
        asked={"lr": None if callable(lr) else lr, "clip_norm": clip_norm},
        steps=steps,
        folder=checkpoint,
        save_every=save_every,
        log_every=log_every,
        progress=progress,
    ) as run:
        for step in run.steps():
            set_rate(optimizer, lr, step)
            stepper.zero_grad(set_to_none=True)
            value = loss(network, batches[step - 1], run.generator)
            fabric.backward(value)
            if clip_norm is not None:
                fabric.clip_gradients(network, stepper, max_norm=clip_norm, error_if_nonfinite=False)
            stepper.step()
            if ema:
                ema.update(model)
            run.record(loss=value)
    return Result(model, ema.model if ema else None, run.history, run.seconds)


def set_up(
    fabric: "lightning_fabric.Fabric", model: nn.Module, optimizer: torch.optim.Optimizer, compile: bool
) -> Any:
    """The model and the optimiser as Fabric wraps them, for precision and for several processes."""
    compiled: Any = torch.compile(model) if compile else model
    return fabric.setup(compiled, optimizer)


def make_optimizer(
    model: nn.Module,
    lr: Rate | None,
    optimizer: torch.optim.Optimizer | None,
    betas: tuple[float, float] = (0.9, 0.999),
) -> torch.optim.Optimizer:
    """The optimiser given, or AdamW with the learning rate (1e-3 without one), fused where torch can.

    Raises ValueError when both an optimiser and a constant rate are given, since the rate would be ignored.
    """
    if optimizer is not None:
        if isinstance(lr, float | int):
            raise ValueError("give the learning rate to the optimizer, not to fit as well")
        return optimizer
    start = 1e-3 if lr is None or callable(lr) else lr  # a function sets it before each step
    fused = all(parameter.device.type in ("cpu", "cuda") for parameter in model.parameters())
    return torch.optim.AdamW(model.parameters(), start, betas=betas, fused=fused)


def set_rate(optimizer: torch.optim.Optimizer, lr: Rate | None, step: int) -> None:
    """Set the learning rate of `step`, if the rate is a function."""
    if callable(lr):
        for group in optimizer.param_groups:
            group["lr"] = lr(step)
