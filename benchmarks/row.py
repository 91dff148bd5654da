"""One measurement, as a row of results.json."""

import datetime
import os
import platform

from gdmcourse.studies.record import processor


def row(name: str, ours: float, peer: float, unit: str, target: float = 1.0) -> dict[str, str | float]:
    """A row: `ratio` is ours ÷ peer (below 1 is better) and `target` the most it may be."""
    return {
        "name": name,
        "ours": float(f"{ours:.4g}"),
        "peer": float(f"{peer:.4g}"),
        "unit": unit,
        "ratio": float(f"{ours / peer:.3g}"),
        "target": target,
        "machine": machine(),
        "date": datetime.date.today().isoformat(),
    }


def machine() -> str:
    """The processor's name and how many of its cores this process may use."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return f"{processor()}, {cores} cores, {platform.system()}"
