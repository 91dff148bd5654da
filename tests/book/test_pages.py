"""The pages that are made from something else: the library's, the benchmarks', the run times."""

from dataclasses import replace
from pathlib import Path

import pytest
from gdmbook.api import entries
from gdmbook.benchmarks import cells
from gdmbook.records import Run, sentence

SOURCE = '''"""A module."""

def visible(x: int, *, y: str = "a") -> bool:
    """Do it."""

def _hidden():
    """Not shown."""

class Thing:
    """A thing."""

    size: int
    name: str = "n"

    def act(self, force: float) -> None:
        """Act."""

    @property
    def weight(self) -> float:
        """How heavy."""

    def _inner(self): ...
'''


def test_public_names_are_read_with_signature_and_text(tmp_path: Path):
    (tmp_path / "module.py").write_text(SOURCE)
    function, thing = entries(tmp_path / "module.py")
    assert function.signature == "visible(x: int, *, y: str='a') -> bool"
    assert function.text == "Do it."
    assert thing.signature == "class Thing(size: int, name: str)"
    assert [member.signature for member in thing.members] == [
        "Thing.act(force: float) -> None",
        "Thing.weight",
    ]


ROW = {
    "name": "EM",
    "ours": 0.25,
    "peer": 0.5,
    "unit": "s",
    "ratio": 0.5,
    "target": 1,
    "machine": "M",
    "date": "D",
}


def test_measurement_is_shown_with_machine_date_and_verdict():
    assert cells(ROW) == ["EM", "0.25\u00a0s", "0.5\u00a0s", "0.50 ✓", "1", "M, D"]
    assert cells({**ROW, "ratio": 1.2})[3] == "1.20 ✗"


def test_measurement_without_a_peer_shows_dashes():
    assert cells({**ROW, "peer": None, "ratio": None, "target": None})[2:5] == ["–", "–", "–"]


def test_run_time_is_a_sentence():
    run = Run("f", 12.4, 10.0, [0.7, 0.9], 410.4, "a machine", "2026-01-01")
    assert run.reference_seconds == pytest.approx(8)
    assert sentence(run) == (
        "Run time: 12 s on one CPU core (8 s at reference speed), 410 MiB of memory "
        "(measured on a machine, 2026-01-01)."
    )
    first = replace(run, models={"ddpm-digits": 61.7, "guide-digits": 8.4})
    assert "410 MiB of memory; the first time 70 s more, to train ddpm-digits, guide-digits" in sentence(
        first
    )
    assert "not measured" in sentence(None)
