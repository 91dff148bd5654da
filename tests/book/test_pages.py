"""The pages that are made from something else: the library's, the benchmarks', the run times."""

from dataclasses import replace
from pathlib import Path

import pytest
from gdmbook.api import entries
from gdmbook.benchmarks import cells, measured, quantity
from gdmbook.indices import with_indices
from gdmbook.numbers import typeset
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
        "act(force: float) -> None",
        "weight",
    ]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("the law of x_t at t", "the law of <i>x</i><sub>t</sub> at t"),
        ("√ᾱ_t x_0", "√<i>ᾱ</i><sub>t</sub> <i>x</i><sub>0</sub>"),
        ("w_t with L_{t−1}", "<i>w</i><sub>t</sub> with <i>L</i><sub>t−1</sub>"),
        ("Σ^{-1} and x_i^2", "<i>Σ</i><sup>-1</sup> and <i>x</i><sub>i</sub><sup>2</sup>"),
        ("alpha_bar and every_fifth", "alpha_bar and every_fifth"),
    ],
)
def test_formulas_of_docstrings_have_their_indices_below(text: str, shown: str):
    marks = {"emphasis": "i", "subscript": "sub", "superscript": "sup"}
    written = ""
    for node in with_indices(text):
        mark = marks.get(node.tagname)
        written += f"<{mark}>{node.astext()}</{mark}>" if mark else node.astext()
    assert written == shown


ROW = {
    "name": "EM, 20 steps (peer: scikit-learn)",
    "ours": 0.25,
    "peer": 0.5,
    "unit": "s",
    "ratio": 0.5,
    "target": 1.0,
    "machine": "M",
    "date": "2026-01-02",
}


def test_measurement_is_shown_with_its_peer_and_a_verdict():
    assert cells(ROW) == ["EM, 20 steps", "0.25\u00a0s", "0.5\u00a0s\nscikit-learn", "0.50\u00a0✓"]
    assert cells({**ROW, "ratio": 1.2})[3] == "1.20\u00a0✗"
    assert cells({**ROW, "ratio": 1.2, "target": 1.5})[3] == "1.20 of at most 1.5\u00a0✓"


def test_a_budget_is_no_package():
    alone = {key: value for key, value in ROW.items() if key not in ("peer", "ratio", "target")}
    assert cells({**alone, "name": "GPU, images"}) == ["GPU, images", "0.25\u00a0s"]
    assert cells({**ROW, "name": "chapter index, time (peer: budget)"})[2] == "0.5\u00a0s"


def test_quantities_are_written_for_readers():
    assert quantity(2048.0, "MiB") == "2\u00a0GiB"
    assert quantity(1258.0, "MiB") == "1.23\u00a0GiB"
    assert quantity(1014.0, "MiB") == "1014\u00a0MiB"
    assert quantity(1e-6, "") == "10⁻⁶"
    assert quantity(123.4, "s") == "123\u00a0s"


def test_machine_and_days_are_one_sentence():
    assert measured("M, 2 cores", ["2026-01-02"] * 2) == "Measured on M, 2 cores, 2026-01-02."
    assert measured("M", ["2026-01-03", "2026-01-02"]) == "Measured on M, from 2026-01-02 to 2026-01-03."


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("-1.20", "−1.20"),
        ("4.0e-05", "4.0·10⁻⁵"),
        ("1e-06", "10⁻⁶"),
        ("-2e+03", "−2·10³"),
        ("1,234", "1,234"),
        ("0.5", "0.5"),
        ("ddpm-digits", "ddpm-digits"),
        ("3-4", "3-4"),
        ("nan", "nan"),
    ],
)
def test_glued_numbers_are_typeset(given: str, shown: str):
    assert typeset(given) == shown


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
