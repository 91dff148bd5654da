"""Train once a machine: a folder that is filled once, whoever asks."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import torch

from gdmcourse.training.checkpoint import Checkpoint, load_checkpoint


def train_once(folder: Path, steps: int, train: Callable[[Path], object]) -> Checkpoint:
    """The checkpoint after `steps` steps in `folder`, made by `train(folder)` where it isn't there yet.

    Processes that ask at once wait for the one that trains. A training that was interrupted goes on; a
    checkpoint that can't be read is thrown away. Raises RuntimeError if `train` leaves no such checkpoint.
    """
    from filelock import FileLock

    folder.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{folder}.lock"):
        try:
            checkpoint = load_checkpoint(folder)
        except ValueError:
            shutil.rmtree(folder)
            checkpoint = None
        if checkpoint is None or checkpoint.step != steps:
            train(folder)
            checkpoint = load_checkpoint(folder)
    if checkpoint is None or checkpoint.step != steps:
        raise RuntimeError(f"the training in {folder} ended without a checkpoint of step {steps}")
    return checkpoint


@contextmanager
def use_threads(count: int | None) -> Iterator[None]:
    """Within the block torch uses `count` threads; None leaves it as it is.

    On tiny images a second thread costs more time than it saves, and much more where cores are busy.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(count or before)
    try:
        yield
    finally:
        torch.set_num_threads(before)
