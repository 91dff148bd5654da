"""Checkpoints that a crash can't spoil: folders of safetensors and JSON, renamed into place whole.

    checkpoint/step-00000500/model.safetensors            weights and buffers of the player `model`
                             model-optimizer.safetensors  its optimiser's tensors, by parameter number
                             model-ema.safetensors        its moving average, if it keeps one
                             pool-0.safetensors           buffers of the module `pool`, which no one trains
                             random-0.safetensors         the random state of each process
                             state.json                   step, settings, history, the optimisers' numbers

Nothing is ever unpickled.
"""

import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from gdmcourse.training.ema import average_weights

Model = TypeVar("Model", bound=nn.Module)


@dataclass(frozen=True)
class Checkpoint:
    """One checkpoint as it was read: the tensors of each file by the file's name, and `state.json`."""

    step: int
    tensors: dict[str, dict[str, Tensor]]
    state: dict[str, Any]


def save_checkpoint(
    folder: Path, step: int, tensors: dict[str, dict[str, Tensor]], state: dict[str, Any]
) -> None:
    """Write the checkpoint of `step` into `folder` and remove the older ones.

    A process that dies at any moment of this leaves the older checkpoint, the new one, or both, each
    complete.
    """
    final, draft = folder / f"step-{step:08d}", folder / f"draft-{step:08d}"
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(parents=True)
    for name, group in tensors.items():
        # Copies, since safetensors refuses tensors that share memory, as tied weights do.
        copies = {
            k: v.detach().to("cpu", copy=True, memory_format=torch.contiguous_format)
            for k, v in group.items()
        }
        save_file(copies, draft / f"{name}.safetensors")
    (draft / "state.json").write_text(json.dumps({"step": step, **state}, allow_nan=False))
    for path in [*draft.iterdir(), draft]:
        _flush(path)
    draft.rename(final)
    _flush(folder)
    for old in [*folder.glob("step-*"), *folder.glob("draft-*")]:
        if old != final:
            shutil.rmtree(old, ignore_errors=True)


def load_checkpoint(folder: Path) -> Checkpoint | None:
    """The newest checkpoint in `folder`, or None where there is none.

    Raises ValueError, with the path, when its files can't be read.
    """
    newest = max(folder.glob("step-*"), default=None)
    if newest is None:
        return None
    try:
        state = json.loads((newest / "state.json").read_text())
        tensors = {path.stem: load_file(path) for path in sorted(newest.glob("*.safetensors"))}
        return Checkpoint(state["step"], tensors, state)
    except (OSError, ValueError, KeyError, SafetensorError) as error:
        raise ValueError(
            f"the checkpoint {newest} can't be read ({error}); delete it to start again"
        ) from error


def load_weights(folder: str | Path, model: Model, name: str = "model", *, average: bool = True) -> Model:
    """Load trained weights from a checkpoint folder into `model` and return it, in evaluation mode.

    `name` is the player's, such as `generator`; its moving average is taken where it keeps one, unless told
    otherwise. Raises ValueError when there is no such player or it is another model.
    """
    checkpoint = load_checkpoint(Path(folder))
    if checkpoint is None:
        raise ValueError(f"there is no checkpoint in {folder}")
    weights = checkpoint.tensors.get(name)
    if average and f"{name}-ema" in checkpoint.tensors:
        weights = average_weights(checkpoint.tensors[f"{name}-ema"])
    if weights is None:
        raise ValueError(f"the checkpoint in {folder} has no {name!r}, only: {', '.join(checkpoint.tensors)}")
    try:
        model.load_state_dict(weights)
    except RuntimeError as error:
        raise ValueError(f"the checkpoint in {folder} belongs to another model: {error}") from error
    return model.eval()


def optimizer_tensors(optimizer: torch.optim.Optimizer) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """An optimiser's state as tensors named `<parameter number>.<name>`, and the rest as JSON."""
    content = optimizer.state_dict()
    tensors: dict[str, Tensor] = {}
    rest: dict[str, Any] = {}
    for number, values in content["state"].items():
        for name, value in values.items():
            (tensors if isinstance(value, Tensor) else rest)[f"{number}.{name}"] = value
    return tensors, {"state": rest, "groups": content["param_groups"]}


def restore_optimizer(
    optimizer: torch.optim.Optimizer, tensors: dict[str, Tensor], rest: dict[str, Any]
) -> None:
    """Put back what `optimizer_tensors` gave; raises ValueError when it belongs to other parameters."""
    state: dict[int, dict[str, Any]] = {}
    for key, value in [*tensors.items(), *rest["state"].items()]:
        number, name = key.split(".", 1)
        state.setdefault(int(number), {})[name] = value
    groups = [{k: tuple(v) if k == "betas" else v for k, v in group.items()} for group in rest["groups"]]
    optimizer.load_state_dict({"state": state, "param_groups": groups})


def _flush(path: Path) -> None:
    """Have the system write a file or folder to the disk, so that a power cut can't spoil it either."""
    if os.name != "posix":  # Windows can't flush what is open for reading
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
