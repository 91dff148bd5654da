"""Run by test_killed.py in processes of its own: a training that uses everything a checkpoint has to hold.

python killed.py everywhere FOLDER   kill a training in each step and before each of its file operations
python killed.py outside FOLDER      kill a training from another process, three times at any moment

Each training is a fork of a process that has imported what it needs.
"""

import hashlib
import itertools
import json
import os
import random
import shutil
import signal
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import torch
from torch import Tensor, nn

from gdmcourse.training import Player, Turn, play, warmup_cosine

STEPS, SAVE_EVERY = 6, 3
FILE_EVENTS = {"open", "os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.scandir", "shutil.rmtree"}


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def train(folder: Path, steps: int = STEPS, say: int | None = None, die_at: int | None = None) -> None:
    """Dropout uses torch's global generator, noise the loss's own; batch norm and a pool have buffers."""
    torch.manual_seed(0)
    modules = {
        "model": nn.Sequential(
            nn.Linear(3, 8), nn.BatchNorm1d(8), nn.SiLU(), nn.Dropout(0.3), nn.Linear(8, 3)
        ),
        "critic": nn.Linear(3, 1),
        "pool": nn.Module(),
    }
    modules["pool"].register_buffer("old", torch.zeros(16, 3))
    calls = 0

    def loss(nets: SimpleNamespace, batch: Tensor, turn: Turn) -> Tensor:
        nonlocal calls
        calls += 1
        if calls == die_at:
            die()
        if say is not None:
            os.write(say, b"s")
            time.sleep(0.002)
        made = nets.model(batch + torch.randn(batch.shape, generator=turn.rng))
        return (made - batch).square().mean() - nets.critic(made).mean()

    def critic_loss(nets: SimpleNamespace, batch: Tensor, turn: Turn) -> Tensor:
        value = nets.critic(nets.pool.old.clone()).mean() - nets.critic(batch).mean()
        nets.pool.old.copy_(nets.model(batch).detach())
        return value

    def clip(critic: nn.Module) -> None:
        for parameter in critic.parameters():
            parameter.clamp_(-0.1, 0.1)

    players = {
        "critic": Player(loss=critic_loss, moves=2, after_move=clip),
        "model": Player(loss=loss, lr=warmup_cosine(1e-2, 400, 2), ema_decay=0.9, clip_norm=1.0),
    }
    data = torch.randn(50, 3)
    play(
        modules,
        players,
        data,
        steps=steps,
        batch_size=16,
        log_every=2,
        checkpoint=folder,
        save_every=SAVE_EVERY,
    )


def digest(folder: Path) -> str:
    """Of the last checkpoint: weights, optimiser, average, random state, history; all but the seconds."""
    last = max(folder.glob("step-*"))  # an older one may lie there still, if its removal was cut short
    state = json.loads((last / "state.json").read_text())
    del state["seconds"]
    content = hashlib.sha256(json.dumps(state, sort_keys=True).encode())
    for path in sorted(last.glob("*.safetensors")):
        content.update(path.name.encode() + path.read_bytes())
    return content.hexdigest()


def fork(work: Callable[[], None]) -> int:
    """Do `work` in a fork, and return the number of its process."""
    child = os.fork()
    if child == 0:
        try:
            work()
        except BaseException:
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    return child


def in_child(work: Callable[[], None]) -> int:
    """Do `work` in a fork and return how that ended, as os.waitpid says it."""
    return os.waitpid(fork(work), 0)[1]


def lies_elsewhere(path: object, root: Path) -> bool:
    """Whether a file is none of a training in `root`: one of Python's own, such as a package's version."""
    return isinstance(path, str | bytes | Path) and os.path.isabs(path) and str(root) not in os.fsdecode(path)


def die_before_event(number: int, root: Path) -> None:
    """Have this process die just before its `number`-th operation on files of `root` from now."""
    count = 0

    def hook(event: str, args: tuple[object, ...]) -> None:
        nonlocal count
        if event in FILE_EVENTS and not lies_elsewhere(args[0], root):
            count += 1
            if count == number:
                die()

    sys.addaudithook(hook)


def everywhere(root: Path) -> dict[str, int]:
    """Kill at every point, resume, compare; returns how many steps and file operations there were."""
    assert in_child(lambda: train(root / "whole")) == 0
    expected = digest(root / "whole")
    points = {"steps": 0, "file operations": 0}

    def resume_and_compare(folder: Path, point: str) -> None:
        assert in_child(lambda: train(folder)) == 0, f"killed {point}, the training couldn't be resumed"
        assert digest(folder) == expected, f"killed {point}, the resumed training differs"

    for step in range(1, STEPS + 1):
        folder = root / f"step-{step}"
        assert in_child(lambda folder=folder, step=step: train(folder, die_at=step)) == signal.SIGKILL
        resume_and_compare(folder, f"in step {step}")
        points["steps"] += 1

    def until_event(folder: Path, number: int) -> None:
        die_before_event(number, root)
        train(folder)

    for number in itertools.count(1):
        folder = root / f"event-{number}"
        ended = in_child(lambda folder=folder, number=number: until_event(folder, number))
        if ended == 0:
            return points
        assert ended == signal.SIGKILL, f"before file operation {number} the training failed by itself"
        resume_and_compare(folder, f"before file operation {number}")
        points["file operations"] = number
    raise AssertionError("a training has an end")


def outside(root: Path) -> dict[str, int]:
    """Kill a training three times, a moment after its first step wherever it is, resume, compare."""
    steps, moments, killed, tries = 400, random.Random(0), 0, 0
    assert in_child(lambda: train(root / "whole", steps)) == 0
    folder = root / "killed"
    while killed < 3 and tries < 60:
        heard, say = os.pipe()
        child = fork(lambda say=say: train(folder, steps, say))
        os.close(say)
        if os.read(heard, 1):
            time.sleep(moments.uniform(0.05, 0.4))
        os.kill(child, signal.SIGKILL)
        ended = os.waitpid(child, 0)[1]
        os.close(heard)
        assert ended in (0, signal.SIGKILL), "the training failed by itself"
        killed, tries = killed + 1, tries + 1
        if ended == 0:  # a busy machine killed it too late: begin anew
            shutil.rmtree(folder)
            killed = 0
    assert in_child(lambda: train(folder, steps)) == 0, "the training couldn't be resumed"
    assert digest(folder) == digest(root / "whole"), "the resumed training differs"
    return {"killed": killed}


if __name__ == "__main__":
    from gdmcourse.training import make_fabric

    make_fabric()  # so that the forks needn't import it
    torch.set_num_threads(1)
    torch.manual_seed(0)
    ways = {"everywhere": everywhere, "outside": outside}
    print(json.dumps(ways[sys.argv[1]](Path(sys.argv[2]))))
