"""The commands of grading, for students and teachers; `cli` takes them in."""

from pathlib import Path
from typing import Annotated, Any

import typer

Book = Annotated[Path, typer.Argument(help="The gradebook")]
Assignment = Annotated[str | None, typer.Option(help="The assignment, where the gradebook has several")]


def release(
    sources: Annotated[
        list[Path] | None, typer.Argument(help="Sources; default: all of solutions/*.md")
    ] = None,
    to: Annotated[Path, typer.Option(help="The folder of the students' notebooks")] = Path("exercises"),
    hide: Annotated[
        Path | None, typer.Option(help="Make a copy of the course for students in this new folder")
    ] = None,
) -> None:
    """Write the students' notebooks and the keys from solutions/CHAPTER.md."""
    if hide is not None:
        from gdmcourse.classroom.hide import hide as copy

        typer.echo(f"{len(copy(Path.cwd(), hide))} files for students, without solutions: {hide}")
        return
    from gdmcourse.grading.release import release as write

    found = sources or sorted(Path("solutions").glob("*.md"))
    if not found:
        raise ValueError("no solutions/*.md here; run this in the project's folder, or name the sources")
    for source in found:
        typer.echo(f"{source} → {', '.join(map(str, write(source, to)))}")


def validate(
    notebook: Annotated[Path, typer.Argument(help="Your notebook, saved")],
    assignment: Annotated[str | None, typer.Option(help="The chapter that was set")] = None,
) -> None:
    """Say before you hand a notebook in whether it will be found, read and run.

    Exit code: 0 all of it; 3 something would be lost.
    """
    from gdmcourse.classroom.validate import validate as look

    _lenient()
    found = look(notebook, assignment=assignment)
    typer.echo("\n".join(found.lines))
    raise typer.Exit(0 if found.whole else 3)


def grade(
    submissions: Annotated[
        list[Path], typer.Argument(help="A notebook; with --gradebook also folders of students, zips")
    ],
    key: Annotated[Path | None, typer.Option(help="A key or a folder of keys; teachers: solutions")] = None,
    assignment: Annotated[str | None, typer.Option(help="The chapter that was set, of several keys")] = None,
    gradebook: Annotated[Path | None, typer.Option(help="Grade a class into this file")] = None,
    cluster: Annotated[
        str | None, typer.Option(help="With --gradebook: the address (or file) of a scheduler of Dask")
    ] = None,
    question: Annotated[str | None, typer.Option(help="Grade this question only, such as q2")] = None,
    json: Annotated[
        str | None, typer.Option(help="Write the report as JSON to this file (- is stdout)")
    ] = None,
    html: Annotated[Path | None, typer.Option(help="Write the report as a page of HTML")] = None,
    cell_seconds: Annotated[float, typer.Option(min=1, help="The time for one cell")] = 20,
    seconds: Annotated[float, typer.Option(min=1, help="The time for the notebook")] = 180,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Kernels at once; of a class, default: one a core")
    ] = None,
    unsandboxed: Annotated[
        bool, typer.Option("--unsandboxed", help="Grade with a full key where there is no sandbox")
    ] = False,
) -> None:
    """Grade a notebook: points, what failed, and what would help; or a class into a gradebook.

    Exit code: 0 graded, whatever the score; 1 an error; 3 a submission can't be read or graded.
    """
    from gdmcourse.grading.limits import Limits

    _lenient()
    limits = Limits(cell=cell_seconds, notebook=seconds)
    options: dict[str, Any] = {"assignment": assignment, "unsandboxed": unsandboxed}
    if gradebook is not None:
        if question or json or html:
            raise ValueError(
                "--question, --json and --html are for one notebook; a class: `gdmcourse gradebook`"
            )
        _grade_class(submissions, gradebook, key, limits, workers, cluster, options)
        return
    several = len(submissions) > 1 or submissions[0].is_dir() or submissions[0].suffix.lower() == ".zip"
    if cluster is not None or several:
        raise ValueError("a class is graded into a gradebook; name its file, as by --gradebook grades.db")
    _grade_one(submissions[0], key, question, limits, json, html, {**options, "workers": workers or 2})


def _grade_one(
    notebook: Path,
    key: Path | None,
    question: str | None,
    limits: Any,
    json: str | None,
    html: Path | None,
    options: dict[str, Any],
) -> None:
    from gdmcourse.grading.clean import clean
    from gdmcourse.grading.grade import grade as run
    from gdmcourse.grading.read import Unreadable
    from gdmcourse.grading.report import as_html, as_json, as_text, write_report

    try:
        result = run(notebook, key, question, limits, **options)
    except Unreadable as error:
        typer.echo(f"{clean(notebook)} can't be graded: {error}", err=True)
        raise typer.Exit(3) from None
    if json and json != "-":
        write_report(Path(json), as_json(result))
    if html:
        write_report(html, as_html(result))
    typer.echo(as_json(result) if json == "-" else as_text(result), nl=json != "-")


def _grade_class(
    submissions: list[Path],
    path: Path,
    keys: Path | None,
    limits: Any,
    workers: int | None,
    address: str | None,
    options: dict[str, Any],
) -> None:
    from gdmcourse.classroom.cluster import Cluster
    from gdmcourse.classroom.grade_class import grade_class
    from gdmcourse.classroom.gradebook import Gradebook
    from gdmcourse.classroom.progress import Progress
    from gdmcourse.grading.assignment import key_folders, set_key
    from gdmcourse.grading.grade import allow

    if workers is not None and address is not None:
        raise ValueError("--workers is for this machine and --cluster for another; give one of them")
    found = set_key(keys, options["assignment"])
    unsandboxed = options["unsandboxed"]
    if address is None:
        allow(unsandboxed)
    hidden = [
        path.absolute().parent,
        *key_folders(keys),
        *(p if p.is_dir() else p.parent for p in submissions),
    ]
    with Gradebook(path, writes=True, create=True) as book, Progress() as progress:
        taken = grade_class(
            book,
            found,
            submissions,
            lambda: Cluster(workers, address),
            limits,
            hidden=hidden,
            unsandboxed=unsandboxed,
            tell=progress.tell,
        )
    for line in [*taken.problems, *taken.failed]:
        typer.echo(line, err=True)
    said = f"handed in: {taken.submissions}; different files: {taken.contents}; graded now: {taken.graded}"
    kept = taken.contents - taken.to_do
    typer.echo(said + (f"; graded before: {kept}" if kept else ""))
    typer.echo(f"See `gdmcourse gradebook show {path}`")
    if taken.problems or taken.failed:
        raise typer.Exit(3)


def _lenient() -> None:
    """A console may lack our letters."""
    import sys

    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="replace")  # type: ignore[union-attr]
