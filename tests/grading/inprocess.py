"""Assembled notebooks run by plain ``exec``: what matching and planning give, on many examples and fast."""

import json
import os
from typing import Any

import IPython.display

from gdmcourse.grading import inside
from gdmcourse.grading.carry_out import carry_out
from gdmcourse.grading.grade import judged
from gdmcourse.grading.key import Key
from gdmcourse.grading.match import match
from gdmcourse.grading.notebook import Notebook, source_text
from gdmcourse.grading.plan import plan
from gdmcourse.grading.plugin import by_index
from gdmcourse.grading.probe import MIME
from gdmcourse.grading.read import Sheet
from gdmcourse.grading.result import QuestionGrade
from gdmcourse.grading.run import Outcome


def execute(notebook: Notebook) -> Outcome:
    """Run the cells one after the other in this process; records are those of the judge."""
    session: dict[str, Any] = {"__name__": "__main__"}
    inside.KEPT.clear()
    published: list[dict[str, Any]] = []
    records = {}
    original = IPython.display.publish_display_data
    IPython.display.publish_display_data = lambda data, **_: published.append(data.get(MIME))
    os.environ["GDMCOURSE_GRADING"] = "1"
    try:
        for cell in notebook["cells"]:
            published.clear()
            records[cell["id"]] = {"cell": cell["id"], **_run(source_text(cell), session)}
            about = cell["metadata"]["gdmcourse"]
            if about["role"] == "probe":
                arrived = [p for p in json.loads(json.dumps(published)) if p["token"] == about["token"]]
                emitted = [payload for payload in arrived if "changed" not in payload]
                changed = sorted({payload["changed"] for payload in arrived if "changed" in payload})
                values = emitted if about["calls"] is None else by_index(emitted, about["calls"])
                records[cell["id"]] |= {"values": values, "changed": changed}
    finally:
        IPython.display.publish_display_data = original
        del os.environ["GDMCOURSE_GRADING"]
    return Outcome(records, None)


def _run(source: str, session: dict[str, Any]) -> dict[str, Any]:
    try:
        exec(compile(source, "cell", "exec"), session)
    except BaseException as error:
        return {"end": "error", "reason": f"{type(error).__name__}: {error}"}
    return {"end": "ok", "reason": None}


def grade_in_process(sheet: Sheet, key: Key, only: str | None = None) -> list[QuestionGrade]:
    """All stages but the box."""
    matched = match(sheet, key)
    return judged(key, matched, carry_out(plan(matched, key, only), execute, workers=1), only)
