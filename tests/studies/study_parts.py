"""Parts of made-up studies, in a module so that another process finds them."""

import os
import signal
import time
from pathlib import Path


def square(folder: Path, *, x: int, die_at: int | None = None, log: str) -> list[dict[str, int]]:
    """A row with x²; each measurement is noted in the file `log`, and one of them kills its process."""
    with open(log, "a") as file:
        file.write(f"{x}\n")
    if x == die_at and not Path(f"{log}.dead").exists():
        Path(f"{log}.dead").touch()
        os.kill(os.getpid(), signal.SIGKILL)
    (folder / "picture.png").write_text(f"of {x}")
    return [{"x": x, "square": x * x}]


def broken(folder: Path) -> list[dict[str, int]]:
    """A part that can't be measured."""
    raise ValueError("no such number")


def wait(folder: Path, *, log: str) -> list[dict[str, int]]:
    """A part that never ends; `log` gets the number of its process."""
    Path(log).write_text(str(os.getpid()))
    while True:
        time.sleep(1)
