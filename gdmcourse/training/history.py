"""What training wrote down on its way."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass
class History:
    """Logged numbers by step: `history.steps`, `history.values("loss")`, `history.plot()`.

    Steps count finished updates, from 1. A value is the mean since the step that was logged before.
    """

    steps: list[int] = field(default_factory=list)
    columns: dict[str, list[float]] = field(default_factory=dict)

    @property
    def names(self) -> list[str]:
        """What was logged, such as `loss`."""
        return list(self.columns)

    def values(self, name: str) -> list[float]:
        """The values of one name, as many as there are steps; raises ValueError if it wasn't logged."""
        if name not in self.columns:
            raise ValueError(f"{name!r} wasn't logged; logged are: {', '.join(self.names) or 'nothing yet'}")
        return self.columns[name]

    def append(self, step: int, values: dict[str, float]) -> None:
        """Add one row; raises ValueError unless it has the names of the rows before it."""
        if self.steps and set(values) != set(self.columns):
            raise ValueError(f"step {step} logs {sorted(values)}, the steps before it {sorted(self.columns)}")
        self.steps.append(step)
        for name, value in values.items():
            self.columns.setdefault(name, []).append(value)

    def plot(self) -> "Figure":
        """The logged values against the step, as a figure that isn't known to pyplot."""
        from matplotlib.figure import Figure

        figure = Figure(figsize=(7.0, 3.2), layout="constrained")
        axes = figure.subplots()
        for name in self.names:
            axes.plot(self.steps, self.values(name), label=name, marker="o" if len(self.steps) == 1 else None)
        axes.set_xlabel("step")
        if len(self.names) == 1:
            axes.set_ylabel(self.names[0])
        elif self.names:
            axes.legend()
        return figure

    def to_json(self) -> dict[str, Any]:
        """A form that `json` can write and `from_json` reads; floats keep all their bits."""
        return {"steps": self.steps, "columns": self.columns}

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> "History":
        """The history that `to_json` described."""
        return cls(steps=list(content["steps"]), columns={k: list(v) for k, v in content["columns"].items()})

    @classmethod
    def read(cls, path: str | Path) -> "History":
        """The history in a run folder's `history.json`."""
        return cls.from_json(json.loads(Path(path).read_text()))
