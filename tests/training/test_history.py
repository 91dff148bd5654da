"""The history: rows, round trip, picture."""

import json
import math
from pathlib import Path

import pytest
from matplotlib.figure import Figure

from gdmcourse.training import History


def history() -> History:
    rows = History()
    rows.append(10, {"generator": 0.1 + 0.2, "critic": math.pi})
    rows.append(20, {"generator": 1 / 3, "critic": -1e-300})
    return rows


def test_values_by_name() -> None:
    assert history().steps == [10, 20]
    assert history().names == ["generator", "critic"]
    assert history().values("critic") == [math.pi, -1e-300]
    with pytest.raises(ValueError, match="generator, critic"):
        history().values("loss")


def test_json_keeps_every_bit(tmp_path: Path) -> None:
    path = tmp_path / "history.json"
    path.write_text(json.dumps(history().to_json()))
    assert History.read(path) == history()


def test_rows_have_one_form() -> None:
    with pytest.raises(ValueError, match="step 30"):
        history().append(30, {"generator": 1.0})


def test_draws_a_line_for_each_name() -> None:
    figure = history().plot()
    assert isinstance(figure, Figure)
    axes = figure.axes[0]
    assert [line.get_label() for line in axes.lines] == ["generator", "critic"]
    assert list(axes.lines[0].get_ydata()) == history().values("generator")
    assert History().plot().axes[0].get_xlabel() == "step"  # nothing logged is no error
