"""`gdmcourse gradebook`: what is made of a graded class; `cli` takes it in."""

from pathlib import Path
from typing import Annotated, Any

import typer

from gdmcourse.cli_grading import Assignment, Book

gradebook = typer.Typer(
    name="gradebook",
    help="Show, export and return a graded class, and keep a teacher's decisions.",
    no_args_is_help=True,
)
Name = Annotated[str, typer.Argument(help="The student's id, or name where it is clear")]


@gradebook.command()
def show(
    book: Book,
    html: Annotated[Path | None, typer.Option(help="Write it as a page of HTML, with the analysis")] = None,
    assignment: Assignment = None,
) -> None:
    """Show all students with their points, and how the points are spread."""
    from rich.console import Console

    from gdmcourse.classroom.gradebook import Gradebook
    from gdmcourse.classroom.overview import as_html, for_terminal
    from gdmcourse.classroom.standing import standings
    from gdmcourse.grading.report import write_report

    with Gradebook(book) as opened:
        key = opened.assignment(assignment)
        found = standings(opened, key)
        if html is not None:
            write_report(html, as_html(opened, key, found))
    Console(highlight=False).print(for_terminal(key, found))


@gradebook.command()
def export(
    book: Book,
    to: Annotated[Path, typer.Argument(help="The file to write")],
    form: Annotated[str, typer.Option(help="csv, canvas, moodle, gradescope, json or marks")] = "csv",
    column: Annotated[str | None, typer.Option(help="What Canvas calls the assignment: Title (id)")] = None,
    assignment: Assignment = None,
) -> None:
    """Write the points as a table, as JSON, or in the columns of a learning platform."""
    from gdmcourse.classroom.export import export as write
    from gdmcourse.classroom.gradebook import Gradebook
    from gdmcourse.classroom.standing import standings
    from gdmcourse.grading.report import write_report

    with Gradebook(book) as opened:
        key = opened.assignment(assignment)
        write_report(to, write(form, key, standings(opened, key), column))
    typer.echo(f"written: {to}")


@gradebook.command()
def feedback(
    book: Book,
    to: Annotated[Path, typer.Argument(help="The folder to write to")],
    site: Annotated[str | None, typer.Option(help="The address of the rendered book, to link to")] = None,
    assignment: Assignment = None,
) -> None:
    """Write a page for each student."""
    from gdmcourse.classroom.feedback import write_feedback
    from gdmcourse.classroom.gradebook import Gradebook

    with Gradebook(book) as opened:
        written = write_feedback(opened, opened.assignment(assignment), to, site)
    typer.echo(f"pages written in {to}: {len(written)}")


@gradebook.command()
def items(book: Book, assignment: Assignment = None) -> None:
    """Say how hard each question was, and which mistakes were made; unknown ones with their code."""
    from gdmcourse.classroom.gradebook import Gradebook
    from gdmcourse.classroom.items import items as analysed
    from gdmcourse.classroom.items import lines

    with Gradebook(book) as opened:
        typer.echo("\n".join(lines(analysed(opened, opened.assignment(assignment)))))


@gradebook.command()
def duplicates(book: Book, assignment: Assignment = None) -> None:
    """List the students whose code is nearly the same, the nearest first."""
    from gdmcourse.classroom.duplicates import duplicates as found
    from gdmcourse.classroom.duplicates import lines
    from gdmcourse.classroom.gradebook import Gradebook

    with Gradebook(book) as opened:
        typer.echo("\n".join(lines(found(opened, opened.assignment(assignment)))))


@gradebook.command()
def late(
    book: Book,
    due: Annotated[
        str | None, typer.Option(help="When it was due, as 2026-12-01T23:59; none: no policy")
    ] = None,
    per_day: Annotated[float, typer.Option(help="Percent taken off for each day begun")] = 10,
    most: Annotated[float, typer.Option(help="Percent taken off at most")] = 100,
    grace: Annotated[float, typer.Option(help="Minutes that are not counted")] = 0,
    assignment: Assignment = None,
) -> None:
    """Set what is taken off for handing in late."""
    from gdmcourse.classroom.gradebook import Gradebook
    from gdmcourse.classroom.late import policy

    rule = None if due is None else policy(due, per_day, most, grace)
    with Gradebook(book, writes=True) as opened:
        opened.set_late(opened.assignment(assignment).chapter, None if rule is None else rule.to_text())
    typer.echo(
        "nothing is taken off" if rule is None else f"due {rule.due}: {per_day:g} % a day, {most:g} at most"
    )


@gradebook.command()
def mark(
    book: Book,
    student: Name,
    question: Annotated[str, typer.Argument(help="An open question, such as q4")],
    points: Annotated[list[float], typer.Argument(help="The points of each line of its rubric")],
    note: Annotated[str, typer.Option(help="A sentence for the student")] = "",
    assignment: Assignment = None,
) -> None:
    """Enter the points of an open question."""
    from gdmcourse.classroom.decide import mark as give
    from gdmcourse.classroom.gradebook import Gradebook

    with Gradebook(book, writes=True) as opened:
        key = opened.assignment(assignment)
        give(opened, key, student, question, points, note)
        _tell(opened, key, student)


@gradebook.command()
def override(
    book: Book,
    student: Name,
    points: Annotated[float | None, typer.Argument(help="The points; none takes a decision back")] = None,
    question: Annotated[str | None, typer.Option(help="Of one question; default: of all")] = None,
    reason: Annotated[str, typer.Option(help="Why; the student reads it")] = "",
    assignment: Assignment = None,
) -> None:
    """Give points in place of the grader's; they stay when the class is graded again."""
    from gdmcourse.classroom.decide import override as give
    from gdmcourse.classroom.gradebook import Gradebook

    with Gradebook(book, writes=True) as opened:
        key = opened.assignment(assignment)
        give(opened, key, student, points, reason, question)
        _tell(opened, key, student)


@gradebook.command()
def marks(
    book: Book,
    sheet: Annotated[Path, typer.Argument(help="A CSV file, as `export --form marks` writes it")],
    assignment: Assignment = None,
) -> None:
    """Enter the points of open questions from a spreadsheet: all that it holds, or nothing."""
    from gdmcourse.classroom.gradebook import Gradebook
    from gdmcourse.classroom.marks import enter

    with Gradebook(book, writes=True) as opened:
        typer.echo(f"marks entered: {enter(opened, opened.assignment(assignment), sheet)}")


@gradebook.command()
def history(book: Book, student: Name, assignment: Assignment = None) -> None:
    """Tell all that was handed in, graded and decided for one student."""
    from gdmcourse.classroom.decide import history as told
    from gdmcourse.classroom.gradebook import Gradebook

    with Gradebook(book) as opened:
        typer.echo("\n".join(told(opened, opened.assignment(assignment), student)))


def _tell(book: Any, key: Any, student: str) -> None:
    """Say where the student stands now."""
    from gdmcourse.classroom.standing import one

    found = one(book, key, student)
    total = "not graded yet" if found.total is None else f"{found.total:g} of {found.points:g} points"
    typer.echo(f"{found.name}: {total}")
