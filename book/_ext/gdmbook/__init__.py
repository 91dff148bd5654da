"""The book's tool: it executes the chapters (`python -m gdmbook`) and teaches Sphinx the book's own parts."""

import hashlib
from importlib import import_module
from pathlib import Path

from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.errors import ExtensionError

# Each is a module with a `setup` of its own; the others use the first one's nodes.
PARTS = (
    "folded",
    "api",
    "benchmarks",
    "bibliography",
    "compute",
    "description",
    "downloads",
    "exercises",
    "footer",
    "formulas",
    "growth",
    "lean",
    "ledger",
    "numbers",
    "offline",
    "opening",
    "plan",
    "plumbing",
    "prerequisites",
    "quiz",
    "reading",
    "rendered",
    "run_time",
    "scores",
    "search",
    "slider",
    "unexecuted",
)


def setup(app: Sphinx) -> dict[str, bool | str]:
    """Register every part."""
    for part in PARTS:
        import_module(f"gdmbook.{part}").setup(app)
    # When the tool itself changes, every page is read again.
    digest = hashlib.sha256(
        b"".join(path.read_bytes() for path in sorted(Path(__file__).parent.glob("*.py")))
    )
    app.add_config_value("gdmbook_sources", digest.hexdigest(), "env", str)
    app.connect("env-get-outdated", _executed_again)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}


def _executed_again(
    app: Sphinx, env: BuildEnvironment, added: set[str], changed: set[str], removed: set[str]
) -> list[str]:
    """Have pages read again that were executed again though their own text is the same."""
    from gdmbook.chapters import chapters
    from gdmbook.records import Records

    root = Path(app.srcdir)
    records = Records(root)
    if missing := [page.name for page in chapters(root) if not records.shows(page)]:
        raise ExtensionError(f"not executed as they stand now: {', '.join(missing)}; run `make book` (again)")
    runs = {page.name: records.state(page) for page in chapters(root)}
    before = getattr(env, "gdmbook_runs", {})
    env.gdmbook_runs = runs  # type: ignore[attr-defined]
    return [name for name, run in runs.items() if before.get(name) != run]
