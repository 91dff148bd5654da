"""Run by test_killed.py in processes of its own: a training that uses everything a checkpoint has to hold.

python killed.py train FOLDER        train, saying each step on stdout
python killed.py everywhere FOLDER N kill a training in each step and before every N-th file operation
"""

import hashlib
import itertools
import json
import os
import signal
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import torch
from torch import Tensor, nn

from gdmcourse.training import Player, Turn, play, warmup_cosine

STEPS, SAVE_EVERY = 6, 3
FILE_EVENTS = {"open", "os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.scandir", "shutil.rmtree"}


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def train(folder: Path, steps: int = STEPS, say: bool = False, die_at: int | None = None) -> None:
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
        if say:
            print("step", flush=True)
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


def in_child(work: object) -> int:
    """Do `work` in a fork and return how that ended, as os.waitpid says it."""
    child = os.fork()
    if child == 0:
        try:
            work()
        except BaseException:
            os._exit(1)
        os._exit(0)
    return os.waitpid(child, 0)[1]


def die_before_event(number: int) -> None:
    """Have this process die just before its `number`-th file operation from now."""
    count = 0

    def hook(event: str, args: object) -> None:
        nonlocal count
        if event in FILE_EVENTS:
            count += 1
            if count == number:
                die()

    sys.addaudithook(hook)


def everywhere(root: Path, stride: int) -> dict[str, int]:
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
        die_before_event(number)
        train(folder)

    for number in itertools.count(1, stride):
        folder = root / f"event-{number}"
        ended = in_child(lambda folder=folder, number=number: until_event(folder, number))
        if ended == 0:
            return points
        assert ended == signal.SIGKILL, f"before file operation {number} the training failed by itself"
        resume_and_compare(folder, f"before file operation {number}")
        points["file operations"] = number
    raise AssertionError("a training has an end")


if __name__ == "__main__":
    torch.set_num_threads(1)
    torch.manual_seed(0)
    command, place = sys.argv[1], Path(sys.argv[2])
    if command == "train":
        train(place, steps=400, say=True)
    else:
        from gdmcourse.training import make_fabric

        make_fabric()  # so that the forks needn't import it
        print(json.dumps(everywhere(place, stride=int(sys.argv[3]))))
