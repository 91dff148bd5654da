"""The end of each page: which version this is, where its source is, how to report an error, how to cite."""

import datetime
import tomllib
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from sphinx.application import Sphinx


def footer(project: dict[str, Any], config: Any, page: str, title: str, day: datetime.date) -> dict[str, str]:
    """Return what the footer of `page` says in a book built on `day`.

    `project` is that table of pyproject.toml, and `config` the book's settings. Without the address of a
    repository, in `_config.yml` or as `Repository` under [project.urls], there is no link to report an error.
    """
    version = project["version"]
    asked = urlencode({"title": f"{title} ({page}, version {version})"})
    repository = config.html_theme_options.get("repository_url") or project.get("urls", {}).get("Repository")
    return {
        "title": config.html_title,
        "version": version,
        "date": day.isoformat(),
        "report": f"{repository.rstrip('/')}/issues/new?{asked}" if repository else "",
        "cite": f"{config.author}. {config.html_title}. Version {version}, {day.year}.",
    }


def add(app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: object) -> None:
    """Give the template `book/_templates/book-footer.html` what it shows."""
    with (Path(app.srcdir) / "pyproject.toml").open("rb") as file:
        project = tomllib.load(file)["project"]
    title = app.env.titles[pagename].astext() if pagename in app.env.titles else pagename
    said = footer(project, app.config, pagename, title, datetime.date.today())
    if context.get("sourcename"):
        said["source"] = context["pathto"](f"_sources/{context['sourcename']}", 1)
    context["book_footer"] = said


def setup(app: Sphinx) -> None:
    """Register it."""
    app.connect("html-page-context", add)
