"""``check("q1")`` in a live notebook: what ``gdmcourse grade`` would say of the answer as it stands now."""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from gdmcourse.grading.notebook import Notebook, code, notebook, write_json


def check_session(question: str) -> None:
    """Grade one question on the visible probes and print the report's sentences; silent while being graded.

    The cells that were run in this session are put together and graded out of process, so what counts is the
    code and not the state that the session happens to be in.
    """
    if os.environ.get("GDMCOURSE_GRADING"):
        return
    from IPython import get_ipython

    shell = get_ipython()
    if shell is None:
        raise RuntimeError("check works in a notebook; elsewhere use `gdmcourse grade NOTEBOOK`")
    print(check_cells(question, list(shell.history_manager.input_hist_raw), Path.cwd()))


def session_notebook(inputs: list[str]) -> Notebook:
    """The cells that were run, in their order; of a cell that was run twice, the last time counts."""
    latest = dict.fromkeys(reversed([source for source in inputs if source.strip()]))
    return notebook([code(source, f"in-{number}") for number, source in enumerate(reversed(latest))])


def check_cells(question: str, inputs: list[str], folder: Path) -> str:
    """The report on one question, from the sources of the cells in the order in which they were run."""
    with tempfile.TemporaryDirectory(prefix="gdm-check-") as place:
        path = Path(place) / "session.ipynb"
        write_json(path, session_notebook(inputs))
        # With -P no file of the student's folder takes a library's place.
        argv = [sys.executable, "-P", "-m", "gdmcourse", "grade", str(path), "--question", question]
        run = subprocess.run(
            [*argv, "--json", "-"],
            capture_output=True,
            text=True,
            cwd=folder,
            check=False,
        )
    if run.returncode != 0:
        return run.stderr.strip()
    from gdmcourse.grading.report import question_text
    from gdmcourse.grading.result import Grade, Marked, QuestionGrade

    data = json.loads(run.stdout)
    told = data["questions"][0]
    told["rubric"] = [Marked(**item) for item in told["rubric"]]
    graded = QuestionGrade(**{**told, "note": None})  # cells run again are no duplicates
    return question_text(Grade(**{**data, "questions": [graded]}), graded)
