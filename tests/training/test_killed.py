"""A run killed by SIGKILL and resumed equals the uninterrupted one to the bit."""

import json
import random
import runpy
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

SCRIPT = Path(__file__).with_name("killed.py")
digest = runpy.run_path(str(SCRIPT))["digest"]


@pytest.mark.slow
@pytest.mark.parametrize("stride", [4, pytest.param(1, marks=pytest.mark.nightly)])
def test_killed_in_any_step_or_before_file_operations(tmp_path: Path, stride: int) -> None:
    command = [sys.executable, SCRIPT, "everywhere", tmp_path, str(stride)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    points = json.loads(done.stdout)
    assert points["steps"] == 6
    assert points["file operations"] > 25  # two checkpoints were written, each with several files


@pytest.mark.slow
def test_killed_from_outside_at_any_moment(tmp_path: Path) -> None:
    def start(folder: Path) -> subprocess.Popen[str]:
        return subprocess.Popen([sys.executable, SCRIPT, "train", folder], stdout=subprocess.PIPE, text=True)

    whole = start(tmp_path / "whole")
    whole.communicate()
    moments, killed, tries = random.Random(0), 0, 0
    while killed < 3 and tries < 60:
        run = start(tmp_path / "killed")
        assert run.stdout is not None
        if run.stdout.readline():  # it trains; a moment later it is dead, wherever it is
            time.sleep(moments.uniform(0.05, 0.4))
        run.kill()
        run.communicate()
        assert run.returncode in (0, -signal.SIGKILL)
        killed, tries = killed + 1, tries + 1
        if run.returncode == 0:  # a busy machine killed it too late: begin anew
            shutil.rmtree(tmp_path / "killed")
            killed = 0
    last = start(tmp_path / "killed")
    last.communicate()
    assert killed == 3
    assert (whole.returncode, last.returncode) == (0, 0)
    assert digest(tmp_path / "killed") == digest(tmp_path / "whole")
