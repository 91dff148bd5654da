"""A run killed by SIGKILL and resumed equals the uninterrupted one to the bit."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).with_name("killed.py")


def told(way: str, folder: Path) -> dict[str, int]:
    """What the script says once it has killed, resumed and compared."""
    done = subprocess.run([sys.executable, SCRIPT, way, folder], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.slow
def test_killed_in_any_step_or_before_any_file_operation(tmp_path: Path) -> None:
    points = told("everywhere", tmp_path)
    assert points["steps"] == 6
    assert points["file operations"] > 25  # two checkpoints were written, each with several files


@pytest.mark.slow
def test_killed_from_outside_at_any_moment(tmp_path: Path) -> None:
    assert told("outside", tmp_path) == {"killed": 3}
