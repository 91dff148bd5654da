"""The judge's process: ``python -m gdmcourse.grading.judge JOB`` runs one assembled notebook by nbval.

The kernel starts first, so that it imports its own parts while pytest and nbval are imported here.
"""

import dataclasses
import json
import sys
from pathlib import Path
from typing import Any

from gdmcourse.grading.sandbox import Limits


def main(job_path: Path) -> None:
    """Run the job and write the records of its cells beside it, atomically."""
    # jsonschema would build a grammar of web addresses (0.8 s) for a check that no notebook needs.
    sys.modules["rfc3987_syntax"] = None  # type: ignore[assignment]
    job: dict[str, Any] = json.loads(job_path.read_text(encoding="utf-8"))
    from gdmcourse.grading import usage
    from gdmcourse.grading.kernel import WatchedKernel

    usage.adopt_orphans()
    hidden = [Path(path) for path in job["hidden"]]
    kernel = WatchedKernel(Path(job["folder"]), hidden, Limits(**job["limits"]))
    try:
        import nbval.plugin
        import pytest

        from gdmcourse.grading.plugin import JudgePlugin

        plugin = JudgePlugin(kernel)
        quiet = [
            "-q",
            "--color=no",
            "--tb=short",
            "-p",
            "no:cacheprovider",
            "--noconftest",
            "-c",
            "/dev/null",
        ]
        pytest.main([job["notebook"], *quiet, f"--rootdir={job_path.parent}"], plugins=[nbval.plugin, plugin])
    finally:
        kernel.stop()
    result = job_path.with_suffix(".part")
    result.write_text(json.dumps({"records": plugin.records, "gone": kernel.gone}), encoding="utf-8")
    result.rename(job_path.with_name("result.json"))


def job(notebook: Path, folder: Path, hidden: list[Path], limits: Limits) -> dict[str, Any]:
    """What the process is told."""
    return {
        "notebook": str(notebook),
        "folder": str(folder),
        "hidden": [str(path) for path in hidden],
        "limits": dataclasses.asdict(limits),
    }


if __name__ == "__main__":
    main(Path(sys.argv[1]))
