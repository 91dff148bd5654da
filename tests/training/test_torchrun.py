"""Two processes on gloo against one that has the joint batch."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor

SCRIPT = Path(__file__).with_name("torchrun_worker.py")
TORCHRUN = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]


def run(out: Path, launcher: list[str]) -> Path:
    """The folder in which each process wrote what came out."""
    environment = os.environ | {"OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}
    command = [sys.executable, *launcher, SCRIPT, out]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return out


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """What one process wrote, and what two did."""
    alone, together = (tmp_path_factory.mktemp(name) for name in ("alone", "together"))
    return run(alone, []), run(together, TORCHRUN)


def written(folder: Path, mode: str, time: str) -> list[dict[str, Tensor]]:
    return [load_file(path) for path in sorted(folder.glob(f"{mode}-{time}-rank-*"))]


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["fit", "play"])
def test_two_processes_equal_one_with_the_joint_batch(folders: tuple[Path, Path], mode: str) -> None:
    (alone,) = written(folders[0], mode, "first")
    together = written(folders[1], mode, "first")
    assert len(together) == 2
    for name, expected in alone.items():
        if name == "noise":
            continue
        for process in together:  # weights, averages, gradients, history
            torch.testing.assert_close(process[name], expected, rtol=1e-4, atol=1e-6)
        assert torch.equal(together[0][name], together[1][name]), name
    # Each draws noise of its own, or has state of its own.
    assert not torch.equal(together[0]["noise"], together[1]["noise"])
    again = written(folders[1], mode, "again")  # complete: resumed, nothing left to do
    for before, after in zip(together, again, strict=True):
        assert all(torch.equal(after[k], v) for k, v in before.items() if k[:4] not in ("nois", "grad"))
    if mode == "fit":
        assert torch.equal(together[0]["noise"], alone["noise"])
    else:
        assert all(torch.equal(a["noise"], b["noise"]) for a, b in zip(again, together, strict=True))
