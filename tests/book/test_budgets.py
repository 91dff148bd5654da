"""A chapter takes at most 2 GiB: read from what the build measured. Its seconds are for `make bench`."""

import os
from pathlib import Path

import pytest
from gdmbook.chapters import chapters
from gdmbook.records import Records

ROOT = Path(__file__).parents[2]
MIB = 2048


@pytest.fixture(scope="module")
def runs():
    records = Records(ROOT)
    found = {page.name: records.find(page) for page in chapters(ROOT)}
    missing = [name for name, run in found.items() if run is None]
    if missing:
        reason = f"{', '.join(missing)}: not executed as they stand now; run `make book`"
        pytest.fail(reason) if os.environ.get("CI") == "true" else pytest.skip(reason)
    return found


@pytest.mark.parametrize("name", [page.name for page in chapters(ROOT)])
def test_chapter_keeps_its_budget_of_memory(runs, name):
    assert runs[name].peak_mib <= MIB
