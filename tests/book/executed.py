"""The numbers that a chapter kept for its text when the book was built, unrounded."""

import os
from typing import Any

import pytest
from gdmbook.chapters import ROOT, Page
from gdmbook.records import Records


def kept(name: str) -> dict[str, Any]:
    """Return the value of each name that a cell of the page kept by `numbers`."""
    try:
        notebook = Records(ROOT).executed(Page(ROOT, name))
    except KeyError:
        reason = f"{name} is not executed as it stands: run `make book`"
        pytest.fail(reason) if os.environ.get("CI") == "true" else pytest.skip(reason)
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    marked = [output["metadata"] for output in outputs if "value" in output.get("metadata", {})]
    return {metadata["scrapbook"]["name"]: metadata["value"] for metadata in marked}
