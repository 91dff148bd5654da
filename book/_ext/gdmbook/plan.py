"""`{route}`, `{plan}`, `{chapter-table}`, `{question-tables}`: hours of weeks and chapters, and points.

The minutes of a page are reckoned while it is read, so they are put in when all pages have been.
"""

import posixpath
from collections.abc import Sequence
from pathlib import Path

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util.docutils import SphinxDirective

from gdmbook.course import ROUTES, Week, builds_on, course, exercises, minutes, rows, titles, weeks
from gdmbook.folded import folded
from gdmcourse.grading.exercise import Exercise, Question


class Time(nodes.Inline, nodes.TextElement):
    """Where the time of `chapters` is to stand, in `hours` or minutes.

    It is that of a first reading, or of the `whole`, and `more` minutes.
    """


class _Table(SphinxDirective):
    """What these directives share: the root, a link to a chapter, its points, a table."""

    @property
    def root(self) -> Path:
        return Path(self.env.srcdir)

    def link(self, chapter: str, title: str) -> nodes.Node:
        return addnodes.pending_xref(
            "",
            nodes.inline("", title),
            refdomain="std",
            reftype="doc",
            reftarget=f"/{chapter}",
            refdoc=self.env.docname,
            refexplicit=True,
            refwarn=True,
        )

    def exercises(self, chapter: str) -> Exercise | None:
        self.env.note_dependency(str(self.root / "solutions" / f"{posixpath.basename(chapter)}.md"))
        return exercises(self.root, chapter)

    def points(self, chapters: Sequence[str]) -> float:
        return sum(found.points for name in chapters if (found := self.exercises(name)))


class Route(_Table):
    """A table of weeks in Markdown, to which the hours are added; the argument names the route."""

    required_arguments = 1
    has_content = True

    def run(self) -> list[nodes.Node]:
        """Return the table with a column more."""
        box = nodes.container()
        self.state.nested_parse(self.content, self.content_offset, box)
        (group,) = box.findall(nodes.tgroup)
        known = {page.name for page in course(self.root)}
        found = list(rows(list(self.content), ROUTES, known))
        group["cols"] += 1
        group.insert(len(list(group.findall(nodes.colspec))), nodes.colspec("", colwidth=1))
        head, body = group.children[-2:]
        head[0] += nodes.entry("", nodes.paragraph("", "Hours"))
        for row, week in zip(body.children, found, strict=True):
            row += nodes.entry("", nodes.paragraph("", "", self._hours(week.chapters)))
        return list(box.children)

    def _hours(self, chapters: Sequence[str]) -> nodes.Node:
        return Time(chapters=list(chapters), more=minutes(self.points(chapters)), whole=False, hours=True)


class Plan(_Table):
    """The weeks of a route of `how_to`, as a teacher sees them."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Return a table with a row for each week, and one for all."""
        self.env.note_reread()
        named = titles(self.root)
        found = weeks(self.root, self.arguments[0])
        body = [self._row(str(week.number), self._links(week, named), week.chapters) for week in found]
        every = list(dict.fromkeys(name for week in found for name in week.chapters))
        body.append(self._row("all", [nodes.Text("")], every))
        return [table(("Week", "Chapters", "First reading", "Exercises", "Points", "Hours"), body)]

    def _links(self, week: Week, named: dict[str, str]) -> list[nodes.Node]:
        found: list[nodes.Node] = []
        for name in week.chapters:
            found += [nodes.Text("; " if found else ""), self.link(name, named[name])]
        return found or [nodes.Text("see the route")]

    def _row(self, week: str, links: list[nodes.Node], chapters: Sequence[str]) -> list[list[nodes.Node]]:
        points = self.points(chapters)
        more = minutes(points)
        return [
            [nodes.Text(week)],
            links,
            [Time(chapters=list(chapters), more=0, whole=False, hours=False)],
            [nodes.Text(f"{more}\u00a0min" if more else "–")],
            [nodes.Text(f"{points:g}" if points else "–")],
            [Time(chapters=list(chapters), more=more, whole=False, hours=True)],
        ]


class ChapterTable(_Table):
    """What each chapter builds on, how long it takes to read, and the points of its exercises."""

    def run(self) -> list[nodes.Node]:
        """Return a table with a row for each chapter."""
        self.env.note_reread()
        named = titles(self.root)
        body = []
        for name, needs in builds_on(self.root).items():
            others: list[nodes.Node] = []
            for other in needs:
                others += [nodes.Text(", " if others else ""), self.link(other, named[other])]
            body.append(
                [
                    [self.link(name, named[name])],
                    others or [nodes.Text("–")],
                    [Time(chapters=[name], more=0, whole=False, hours=False)],
                    [Time(chapters=[name], more=0, whole=True, hours=False)],
                    [nodes.Text(f"{self.points([name]):g}")],
                ]
            )
        return [table(("Chapter", "Builds on", "First reading", "All of it", "Points"), body)]


class QuestionTables(_Table):
    """Each chapter's questions with points and minutes, folded."""

    def run(self) -> list[nodes.Node]:
        """Return a folded table for each chapter."""
        self.env.note_reread()
        found: list[nodes.Node] = []
        for page in course(self.root):
            if exercise := self.exercises(page.name):
                said = f"{page.title}: {len(exercise.questions)} questions, {exercise.points:g} points"
                heads = ("Question", "Points", "Of these by hand", "Minutes", "Known mistakes")
                body = [_question(question) for question in exercise.questions]
                found.append(folded([nodes.Text(said)], [table(heads, body)], "questions"))
        return found


def _question(question: Question) -> list[list[nodes.Node]]:
    hints = len({wrong.hint for wrong in question.wrong})
    cells = (
        f"{question.id}. {question.title}",
        f"{question.points:g}",
        f"{question.marked_points:g}" if question.rubric else "–",
        str(minutes(question.points)),
        str(hints or "–"),
    )
    return [[nodes.Text(cell)] for cell in cells]


def table(heads: Sequence[str], body: list[list[list[nodes.Node]]]) -> nodes.table:
    """Return a table of cells, each a list of inline nodes."""
    group = nodes.tgroup("", cols=len(heads))
    group += [nodes.colspec("", colwidth=1) for _ in heads]
    group += nodes.thead("", _row([[nodes.Text(head)] for head in heads]))
    group += nodes.tbody("", *map(_row, body))
    return nodes.table("", group, classes=["plan"])


def _row(cells: list[list[nodes.Node]]) -> nodes.row:
    return nodes.row("", *(nodes.entry("", nodes.paragraph("", "", *cell)) for cell in cells))


def said(times: dict[str, tuple[int, int]], at: Time) -> str:
    """Return a time as words; `times` has the minutes of each page's first and whole reading."""
    known = [times[name][at["whole"]] for name in at["chapters"] if name in times]
    if not known:
        return "–"
    total = sum(known) + at["more"]
    return f"{max(0.5, round(total / 30) / 2):g}" if at["hours"] else f"{total}\u00a0min"


def times(env: BuildEnvironment) -> dict[str, tuple[int, int]]:
    """Return the minutes that the pages say below their titles."""
    return {name: data["reading"] for name, data in env.metadata.items() if "reading" in data}


def _resolve(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    for at in list(doctree.findall(Time)):
        at.replace_self(nodes.Text(said(times(app.env), at)))


def _changed(app: Sphinx, env: BuildEnvironment) -> list[str]:
    """Have the pages that show times written again when a page's time has changed."""
    before, now = getattr(env, "gdmbook_times", None), times(env)
    env.gdmbook_times = now  # type: ignore[attr-defined]
    return [] if before == now else [name for name in (ROUTES,) if name in env.found_docs]


def setup(app: Sphinx) -> None:
    """Register the directives, and put the times in."""
    app.add_node(Time)
    app.add_directive("route", Route)
    app.add_directive("plan", Plan)
    app.add_directive("chapter-table", ChapterTable)
    app.add_directive("question-tables", QuestionTables)
    app.connect("doctree-resolved", _resolve)
    app.connect("env-updated", _changed)
