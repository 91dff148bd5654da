"""The training loop: players move in turn, each on its own loss, for as many steps as are asked for."""

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from gdmcourse.training.batches import Batches, Data
from gdmcourse.training.device import make_fabric
from gdmcourse.training.ema import EMA
from gdmcourse.training.history import History
from gdmcourse.training.player import Player, Turn, frozen
from gdmcourse.training.run import Run

if TYPE_CHECKING:
    import lightning_fabric


@dataclass(frozen=True)
class Played:
    """What `play` returns: all modules, the averages of those that keep one, the history, the seconds.

    Modules are in evaluation mode and on the device they were trained on. `seconds` counts all the sessions
    of a resumed run.
    """

    modules: dict[str, nn.Module]
    averages: dict[str, nn.Module]
    history: History
    seconds: float

    def best(self, name: str) -> nn.Module:
        """The network to use: the average where there is one."""
        return self.averages.get(name, self.modules[name])


def play(
    modules: Mapping[str, nn.Module],
    players: Mapping[str, Player],
    data: Data,
    *,
    steps: int,
    batch_size: int,
    seed: int = 0,
    after_step: Callable[[int], None] | None = None,
    checkpoint: str | Path | None = None,
    save_every: int = 500,
    fabric: "lightning_fabric.Fabric | None" = None,
    log_every: int = 10,
    progress: bool | None = None,
    compile: bool = False,
) -> Played:
    """Train the players' networks (in place) for `steps` steps and return them with their history.

    In a step the players move in the order of `players`, each as often as it says. Each move of the one that
    moves most has a batch of its own; the others see the last of these. A module without a player is state of
    the caller's own, such as a pool of images or an adaptive strength: losses and `after_step(step)` may
    change its buffers, and checkpoints hold them.

    `data` is a tensor or a tuple of tensors of one length, and a batch has the same form. With a `checkpoint`
    folder the run saves itself every `save_every` steps and at its end, and continues from what it finds
    there. `progress` shows a bar; left out, only to people. The same arguments give the same numbers on the
    CPU, whether interrupted or not. The history has a column for each player, "loss" where there is one only.

    Raises NonFiniteLoss when a loss or a weight stops being a number, and ValueError for arguments that
    don't fit.
    """
    if not players or not players.keys() <= modules.keys():
        raise ValueError(f"each player needs a module: players {sorted(players)}, modules {sorted(modules)}")
    fabric = fabric or make_fabric()
    batches = Batches(data, batch_size, seed, fabric)
    for module in modules.values():
        module.to(fabric.device)
    optimizers = {name: player.make_optimizer(modules[name]) for name, player in players.items()}
    # As Fabric wraps them, for precision and for several processes.
    wrapped: dict[str, Any] = dict(modules)
    steppers: dict[str, Any] = {}
    for name in players:
        network: Any = torch.compile(modules[name]) if compile else modules[name]
        wrapped[name], steppers[name] = fabric.setup(network, optimizers[name])
    averages = {  # of the weights that the first process has handed to all
        name: EMA(modules[name], player.ema_decay)
        for name, player in players.items()
        if player.ema_decay is not None
    }
    networks = SimpleNamespace(**wrapped)
    most = max(player.moves for player in players.values())
    label = {name: name if len(players) > 1 else "loss" for name in players}

    def move(name: str, batch: Data, turn: Turn) -> Tensor:
        """One update of one player."""
        player, network, stepper = players[name], wrapped[name], steppers[name]
        waiting = [wrapped[other] for other in players if other != name]
        stepper.zero_grad(set_to_none=True)
        with ExitStack() as stack:
            stack.enter_context(frozen(waiting))
            for other in waiting:
                stack.enter_context(fabric.no_backward_sync(other))
            value = player.loss(networks, batch, turn)
            fabric.backward(value)
        if player.clip_norm is not None:
            fabric.clip_gradients(network, stepper, max_norm=player.clip_norm, error_if_nonfinite=False)
        stepper.step()
        if player.after_move is not None:
            with torch.no_grad():
                player.after_move(modules[name])
        if name in averages:
            averages[name].update(modules[name])
        return value.detach()

    with Run(
        fabric,
        batches,
        {name: modules[name] for name in players},
        {name: module for name, module in modules.items() if name not in players},
        optimizers,
        averages,
        settings={
            setting if len(players) == 1 else f"{name}.{setting}": value
            for name, player in players.items()
            for setting, value in player.settings().items()
        },
        steps=steps,
        folder=checkpoint,
        save_every=save_every,
        log_every=log_every,
        progress=progress,
    ) as run:
        for step in run.steps():
            turn = Turn(step, run.generator)
            drawn = [batches[(step - 1) * most + k] for k in range(most)]
            losses = {}
            for name, player in players.items():
                player.set_rate(optimizers[name], step)
                moves = [move(name, batch, turn) for batch in drawn[most - player.moves :]]
                losses[label[name]] = torch.stack(moves).mean() if len(moves) > 1 else moves[0]
            if after_step is not None:
                after_step(step)
            run.record(**losses)
    return Played(
        dict(modules), {name: ema.model for name, ema in averages.items()}, run.history, run.seconds
    )
