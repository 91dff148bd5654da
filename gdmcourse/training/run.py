"""The bookkeeping of a run: log, check, save, resume, show."""

import math
import os
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from tqdm import tqdm

from gdmcourse.training.batches import Batches
from gdmcourse.training.checkpoint import (
    Checkpoint,
    load_checkpoint,
    optimizer_tensors,
    restore_optimizer,
    save_checkpoint,
)
from gdmcourse.training.ema import EMA
from gdmcourse.training.history import History
from gdmcourse.training.randomness import derive_seed, random_state, restore_random_state, seeded

if TYPE_CHECKING:
    import lightning_fabric


class NonFiniteLoss(FloatingPointError):
    """Training stopped at `step` because `name` (a loss, or the weights) was `value`.

    `checkpoint` is the folder of the last good checkpoint, or None where none was written.
    """

    def __init__(self, step: int, name: str, value: float, checkpoint: Path | None) -> None:
        self.step, self.name, self.value, self.checkpoint = step, name, value, checkpoint
        kept = f"the last good checkpoint is in {checkpoint}" if checkpoint else "no checkpoint was written"
        super().__init__(
            f"{name} became {value} at step {step}; {kept}. Try a smaller learning rate or clip_norm=1."
        )


class Run:
    """A run in progress: iterate `steps()`, hand each step's losses to `record`.

    `networks` are trained, `others` are state that lies beside them and may differ from process to process.
    Steps are counted from 1. Losses stay on the device until they are logged or a checkpoint is due; only
    then does the processor wait for the device. Everything that a run needs to go on is in its checkpoint;
    its settings are there too, and a checkpoint that was made with others is refused with ValueError.
    """

    def __init__(
        self,
        fabric: "lightning_fabric.Fabric",
        batches: Batches,
        networks: dict[str, nn.Module],
        others: dict[str, nn.Module],
        optimizers: dict[str, torch.optim.Optimizer],
        averages: dict[str, EMA],
        *,
        settings: dict[str, Any],
        steps: int,
        folder: str | Path | None,
        save_every: int,
        log_every: int,
        progress: bool | None,
    ) -> None:
        if steps < 0 or save_every < 1 or log_every < 1:
            raise ValueError(
                f"steps must be ≥ 0, save_every and log_every ≥ 1, not {steps}, {save_every}, {log_every}"
            )
        self.fabric, self.networks, self.others = fabric, networks, others
        self.optimizers, self.averages = optimizers, averages
        self.last = steps
        self.settings = {
            "seed": batches.seed,
            "examples": batches.size,
            "batch_size": batches.batch_size,
            "processes": fabric.world_size,
            **settings,
        }
        self.folder = None if folder is None else Path(folder)
        self.save_every, self.log_every, self.progress = save_every, log_every, progress
        self.seed = derive_seed(batches.seed, "loss", fabric.global_rank)  # other noise on each process
        self.generator = torch.Generator(fabric.device).manual_seed(derive_seed(self.seed, "generator"))
        self.history = History()
        self.done = 0
        self.saved: Path | None = None
        self.seconds = 0.0
        self.pending: list[tuple[int, dict[str, Tensor | float]]] = []

    def __enter__(self) -> "Run":
        """Seed torch's global generators, which dropout uses, and resume if there is a checkpoint."""
        with ExitStack() as stack:
            stack.enter_context(seeded(self.seed, self.fabric.device))
            checkpoint = load_checkpoint(self.folder) if self.folder else None
            if checkpoint is not None:
                self._resume(checkpoint)
            show = self.fabric.is_global_zero and (_interactive() if self.progress is None else self.progress)
            self.bar = stack.enter_context(
                tqdm(total=self.last, initial=self.done, disable=not show, unit="step", leave=False)
            )
            self._open = stack.pop_all()
        for network in self.networks.values():
            network.train()
        self._began = time.perf_counter() - self.seconds
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Give the global generators back as they were, and the networks in evaluation mode."""
        self.seconds = time.perf_counter() - self._began
        self._open.__exit__(kind, error, trace)
        for network in self.networks.values():
            network.eval()

    def steps(self) -> Iterator[int]:
        """The steps that are still to do."""
        while self.done < self.last:
            yield self.done + 1

    def record(self, **losses: Tensor) -> None:
        """Count the step as done; log, check and save if it is time for that."""
        self.done += 1
        self.pending.append((self.done, {name: loss.detach() for name, loss in losses.items()}))
        ended = self.done == self.last
        if self.done % self.log_every == 0 or ended:
            self._log()
        if self.folder and (self.done % self.save_every == 0 or ended):
            self._save()
        self.bar.update()

    def _log(self) -> None:
        """One row of the history: the mean of each loss since the last row."""
        rows = [row for _, row in self._fetch()]
        means = {name: math.fsum(float(row[name]) for row in rows) / len(rows) for name in rows[0]}
        self.history.append(self.done, means)
        self.pending = []
        self.bar.set_postfix({name: f"{mean:.4g}" for name, mean in means.items()}, refresh=False)

    def _fetch(self) -> list[tuple[int, dict[str, float]]]:
        """The losses not yet logged as numbers, averaged over the processes; the one wait for the device."""
        fresh = [value for _, row in self.pending for value in row.values() if isinstance(value, Tensor)]
        if fresh:
            joined: Any = self.fabric.all_reduce(torch.stack(fresh).float(), reduce_op="mean")
            numbers = iter(joined.tolist())
            self.pending = [
                (step, {k: next(numbers) if isinstance(v, Tensor) else v for k, v in row.items()})
                for step, row in self.pending
            ]
        for step, row in self.pending:
            for name, value in row.items():
                if not math.isfinite(value):
                    raise NonFiniteLoss(step, name, float(value), self.saved)
        return self.pending  # type: ignore[return-value]  # all are numbers now

    def _save(self) -> None:
        """Write a checkpoint, unless the weights have gone bad before the loss could show it."""
        assert self.folder is not None
        pending = self._fetch()
        tensors = {name: network.state_dict() for name, network in self.networks.items()}
        rest = {}
        for name, optimizer in self.optimizers.items():
            tensors[f"{name}-optimizer"], rest[name] = optimizer_tensors(optimizer)
        for name, average in self.averages.items():
            tensors[f"{name}-ema"] = average.state_dict()
        for name, module in self.others.items():
            tensors |= self._of_each_process(name, module.state_dict())
        for name, group in tensors.items():
            for value in group.values():
                if value.is_floating_point() and not bool(value.isfinite().all()):
                    worst = float(value[~value.isfinite()].flatten()[0])
                    raise NonFiniteLoss(self.done, f"the {name}", worst, self.saved)
        tensors |= self._of_each_process("random", random_state(self.generator))
        state = {
            "settings": self.settings,
            "optimizers": rest,
            "history": self.history.to_json(),
            "pending": pending,
            "seconds": time.perf_counter() - self._began,
        }
        if self.fabric.is_global_zero:
            save_checkpoint(self.folder, self.done, tensors, state)
        self.fabric.barrier()
        self.saved = self.folder

    def _of_each_process(self, name: str, state: dict[str, Tensor]) -> dict[str, dict[str, Tensor]]:
        """The state that each process has of its own, on all of them, by the names `<name>-<process>`."""
        if self.fabric.world_size == 1:
            return {f"{name}-0": state}
        processes: dict[str, dict[str, Tensor]] = {f"{name}-{r}": {} for r in range(self.fabric.world_size)}
        for key, value in state.items():  # a sum to which each process adds a row of its own
            rows = torch.zeros((len(processes), *value.shape), dtype=value.dtype, device=self.fabric.device)
            rows[self.fabric.global_rank] = value
            joined: Any = self.fabric.all_reduce(rows, reduce_op="sum")
            for process, row in zip(processes.values(), joined, strict=True):
                process[key] = row
        return processes

    def _resume(self, checkpoint: Checkpoint) -> None:
        """Go back to the state that the checkpoint describes."""
        for name, value in self.settings.items():
            before = checkpoint.state["settings"].get(name)
            if before != value:
                raise ValueError(
                    f"the checkpoint in {self.folder} was made with {name} {before}, not {value}; "
                    "use the same, another folder, or delete it to start again"
                )
        tensors, rank = checkpoint.tensors, self.fabric.global_rank
        try:
            for name, network in self.networks.items():
                network.load_state_dict(tensors[name])
            for name, optimizer in self.optimizers.items():
                rest = checkpoint.state["optimizers"][name]
                restore_optimizer(optimizer, tensors[f"{name}-optimizer"], rest)
            for name, average in self.averages.items():
                average.load_state_dict(tensors[f"{name}-ema"])
            for name, module in self.others.items():
                module.load_state_dict(tensors[f"{name}-{rank}"])
        except (KeyError, RuntimeError, ValueError) as error:
            raise ValueError(f"the checkpoint in {self.folder} belongs to another model: {error}") from error
        restore_random_state(self.generator, tensors[f"random-{rank}"])
        self.history = History.from_json(checkpoint.state["history"])
        self.pending = [(step, row) for step, row in checkpoint.state["pending"]]
        self.done, self.seconds, self.saved = checkpoint.step, checkpoint.state["seconds"], self.folder


def _interactive() -> bool:
    """Whether somebody watches: a terminal, or a notebook that isn't being rendered into the book."""
    ipython = sys.modules.get("IPython")
    if ipython is not None and hasattr(ipython.get_ipython(), "kernel"):
        return not os.environ.get("GDMCOURSE_STATIC")
    return sys.stderr.isatty()
