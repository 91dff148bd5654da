"""The loop that trains two networks against each other."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from gdmcourse.nn.ema import EMA
from gdmcourse.training.batches import Batches, Data
from gdmcourse.training.device import make_fabric
from gdmcourse.training.fit import Rate, make_optimizer, set_rate, set_up
from gdmcourse.training.history import History
from gdmcourse.training.run import Run

if TYPE_CHECKING:
    import lightning_fabric

GameLoss = Callable[[nn.Module, nn.Module, Any, torch.Generator], Tensor]  # (generator, critic, batch, rng)


@dataclass(frozen=True)
class GameResult:
    """What `fit_game` returns; `ema` is the generator's average or None. All are in evaluation mode."""

    generator: nn.Module
    critic: nn.Module
    ema: nn.Module | None
    history: History
    seconds: float

    @property
    def best(self) -> nn.Module:
        """The generator to use: the average where there is one."""
        return self.ema or self.generator


def fit_game(
    generator: nn.Module,
    critic: nn.Module,
    generator_loss: GameLoss,
    critic_loss: GameLoss,
    data: Data,
    *,
    steps: int,
    batch_size: int,
    n_critic: int = 1,
    lr: Rate | None = None,
    optimizers: tuple[torch.optim.Optimizer, torch.optim.Optimizer] | None = None,
    seed: int = 0,
    ema_decay: float | None = None,
    clip_norm: float | None = None,
    checkpoint: str | Path | None = None,
    save_every: int = 500,
    fabric: "lightning_fabric.Fabric | None" = None,
    log_every: int = 10,
    progress: bool | None = None,
    compile: bool = False,
) -> GameResult:
    """Train a generator against a critic, both in place: a step is `n_critic` critic updates, then one of G.

    Both losses are called as `loss(generator, critic, batch, rng)` and give a scalar to be made small. While
    one player moves the other's parameters are frozen. Each critic update has a batch of its own; the
    generator sees the last of them. `optimizers` are the generator's and the critic's; without them both
    use AdamW with β₁ = ½ and `lr` (2e-4 where nothing is said). The history logs `generator` and `critic`.
    All else is as in `fit`, which also says what is raised.
    """
    if n_critic < 1:
        raise ValueError(f"n_critic must be at least 1, not {n_critic}")
    fabric = fabric or make_fabric()
    batches = Batches(data, batch_size, seed, fabric)
    given = optimizers or (None, None)
    rate = 2e-4 if lr is None and optimizers is None else lr
    g_optimizer = make_optimizer(generator.to(fabric.device), rate, given[0], betas=(0.5, 0.999))
    c_optimizer = make_optimizer(critic.to(fabric.device), rate, given[1], betas=(0.5, 0.999))
    g, g_stepper = set_up(fabric, generator, g_optimizer, compile)
    c, c_stepper = set_up(fabric, critic, c_optimizer, compile)
    ema = EMA(generator, ema_decay) if ema_decay is not None else None

    def move(loss: GameLoss, mover: nn.Module, stepper: torch.optim.Optimizer, batch: Data) -> Tensor:
        """One update of one player."""
        waiter = c if mover is g else g
        stepper.zero_grad(set_to_none=True)
        with frozen(waiter), fabric.no_backward_sync(waiter):
            value = loss(g, c, batch, run.generator)
            fabric.backward(value)
        if clip_norm is not None:
            fabric.clip_gradients(mover, stepper, max_norm=clip_norm, error_if_nonfinite=False)
        stepper.step()
        return value.detach()

    with Run(
        fabric,
        batches,
        {"generator": generator, "critic": critic},
        {"generator-optimizer": g_optimizer, "critic-optimizer": c_optimizer},
        ema,
        asked={"lr": None if callable(lr) else lr, "clip_norm": clip_norm, "n_critic": n_critic},
        steps=steps,
        folder=checkpoint,
        save_every=save_every,
        log_every=log_every,
        progress=progress,
    ) as run:
        for step in run.steps():
            set_rate(g_optimizer, rate, step)
            set_rate(c_optimizer, rate, step)
            mine = [batches[(step - 1) * n_critic + k] for k in range(n_critic)]
            critic_values = [move(critic_loss, c, c_stepper, batch) for batch in mine]
            generator_value = move(generator_loss, g, g_stepper, mine[-1])
            if ema:
                ema.update(generator)
            run.record(generator=generator_value, critic=torch.stack(critic_values).mean())
    return GameResult(generator, critic, ema.model if ema else None, run.history, run.seconds)


@contextmanager
def frozen(model: nn.Module) -> Iterator[None]:
    """Within the block the model's parameters get no gradients; gradients still flow through it."""
    parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
    for parameter in parameters:
        parameter.requires_grad_(False)
    try:
        yield
    finally:
        for parameter in parameters:
            parameter.requires_grad_(True)
