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


def run(mode: str, out: Path, launcher: list[str]) -> list[dict[str, Tensor]]:
    """What each process wrote."""
    out.mkdir(exist_ok=True)
    environment = os.environ | {"OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}
    done = subprocess.run(
        [sys.executable, *launcher, SCRIPT, mode, out],
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return [load_file(path) for path in sorted(out.glob("rank-*"))]


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["fit", "play"])
def test_two_processes_equal_one_with_the_joint_batch(mode: str, tmp_path: Path) -> None:
    (alone,) = run(mode, tmp_path / "alone", [])
    together = run(mode, tmp_path / "together", TORCHRUN)
    assert len(together) == 2
    for name, expected in alone.items():
        if name == "noise":
            continue
        for process in together:  # weights, averages, gradients, history
            torch.testing.assert_close(process[name], expected, rtol=1e-4, atol=1e-6)
        assert torch.equal(together[0][name], together[1][name]), name
    # Each draws noise of its own, or has state of its own.
    assert not torch.equal(together[0]["noise"], together[1]["noise"])
    again = run(mode, tmp_path / "together", TORCHRUN)  # complete: resumed, nothing left to do
    for before, after in zip(together, again, strict=True):
        assert all(torch.equal(after[k], v) for k, v in before.items() if k[:4] not in ("nois", "grad"))
    if mode == "fit":
        assert torch.equal(together[0]["noise"], alone["noise"])
    else:
        assert all(torch.equal(a["noise"], b["noise"]) for a, b in zip(again, together, strict=True))
