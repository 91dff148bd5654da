"""A study measured in this process; that another process can is for `test_study.py`."""

import json
from pathlib import Path
from typing import Any

from gdmcourse.studies.study import Study


def in_little(study: Study, folder: Path) -> dict[str, Any]:
    """The content of the record, as it is read from its file."""
    rows = [row for part in study.parts for row in study.measure(folder, **part)]
    return json.loads(json.dumps(study.content(rows)))
