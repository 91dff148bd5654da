"""Nothing on a page may come from another host: drop what Jupyter Book's parts would load from one."""

from sphinx.application import Sphinx


def drop_thebe(app: Sphinx, pagename: str, templatename: str, context: dict, doctree: object) -> None:
    """Take out sphinx-thebe: it runs code on a public server, and Jupyter Book always loads it."""
    for key in ("script_files", "css_files"):
        context[key] = [file for file in context.get(key, []) if not _is_thebe(file)]


def _is_thebe(file: object) -> bool:
    name = str(getattr(file, "filename", None) or "")
    body = str(getattr(file, "attributes", {}).get("body") or "")
    return "thebe" in name or "thebe" in body


def setup(app: Sphinx) -> None:
    """Run after all others have added their files."""
    app.connect("html-page-context", drop_thebe, priority=950)
