"""Time and memory of each chapter, executed alone in a fresh kernel, against its budget."""

import sys
from pathlib import Path

from benchmarks.row import row

ROOT = Path(__file__).parents[1]
SECONDS, MIB = 90.0, 2048.0


def rows() -> list[dict[str, str | float]]:
    """Two rows a chapter; the peer is the chapter's budget."""
    sys.path.insert(0, str(ROOT / "book/_ext"))  # the book executes its chapters by the same function
    from gdmbook.chapters import chapters
    from gdmbook.execution import execute
    from gdmbook.models import fetched, train_all

    list(train_all([name for page in chapters(ROOT) for name in fetched(page)], workers=1))
    found = []
    for page in chapters(ROOT):
        run = execute(page, lambda page, done, total: None)[1]
        name = page.path.stem
        print(f"  {name}: {run.execution_seconds:.1f} s, {run.peak_mib:.0f} MiB", flush=True)
        found.append(row(f"chapter {name}, time (peer: budget)", run.execution_seconds, SECONDS, "s"))
        found.append(row(f"chapter {name}, memory (peer: budget)", run.peak_mib, MIB, "MiB"))
    return found
