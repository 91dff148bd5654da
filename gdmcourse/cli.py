"""The `gdmcourse` command. Thin: each command imports its room when it runs, so that --help is instant."""

from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup


class Commands(TyperGroup):
    """All commands. What a user can mend ends with a sentence and exit code 1, never with a traceback."""

    def invoke(self, ctx: Any) -> Any:
        """Run the chosen command; wrong usage exits with 2 and an interrupt with 130, as everywhere."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            raise  # the reader of our output has left, as in `gdmcourse data | head -1`
        except Exception as error:
            said = _sentence(error)
            if said is None:
                raise  # a mistake of ours, which its traceback helps to find
            typer.echo(f"Error: {said}", err=True)
            raise typer.Exit(1) from error


def _sentence(error: Exception) -> str | None:
    """What to tell a user who can mend this, or None for an error that is ours."""
    text = str(error)
    if isinstance(error, MemoryError) or "out of memory" in text or "can't allocate memory" in text:
        return (
            "the memory is too small for this. Make it less, as by --set batch_size=… or --set width=…, "
            "or use a smaller preset."
        )
    if "No space left on device" in text:
        return (
            f"the disk is full ({text}). Make room and give the command again: a run goes on from its last "
            "checkpoint."
        )
    return text if isinstance(error, ValueError | OSError | FloatingPointError) else None


app = typer.Typer(
    cls=Commands,
    name="gdmcourse",
    help="A course on generative models: fetch data, train the book's models, release and grade exercises.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


@app.command()
def data(
    name: Annotated[
        str | None, typer.Argument(help="digits, mnist, cifar10, stacked; none lists all")
    ] = None,
) -> None:
    """List the data sets, or fetch and verify the one called NAME."""
    from gdmcourse.data import CATALOG, TOYS, data_root, load

    if name is None:
        for known, entry in CATALOG.items():
            shape, sizes = "×".join(map(str, entry.shape)), f"{entry.train:,} + {entry.test:,}"
            where = entry.find(data_root()) or f"not here; fetch it by `gdmcourse data {known}`"
            typer.echo(f"{known:8}  {shape:8}  {sizes:15}  {where}")
        typer.echo(f"Toys in the plane, drawn by toy(name, n, generator): {', '.join(TOYS)}")
        return
    for split in ("train", "test"):
        images = load(name, split)
        low, high = images.images.aminmax()
        typer.echo(f"{images}, values from {low:g} to {high:g}")
    names = images.classes
    typer.echo(f"Classes: {', '.join(names) if len(names) <= 20 else f'{names[0]} … {names[-1]}'}")
    if images.note:
        typer.echo(f"Note: {images.note}")


@app.command()
def release(
    sources: Annotated[
        list[Path] | None, typer.Argument(help="Sources; default: all of solutions/*.md")
    ] = None,
    to: Annotated[Path, typer.Option(help="The folder of the students' notebooks")] = Path("exercises"),
) -> None:
    """Write the students' notebooks and the keys from solutions/CHAPTER.md."""
    from gdmcourse.grading.release import release as write

    found = sources or sorted(Path("solutions").glob("*.md"))
    if not found:
        raise ValueError("no solutions/*.md here; run this in the project's folder, or name the sources")
    for source in found:
        typer.echo(f"{source} → {', '.join(map(str, write(source, to)))}")


@app.command()
def train(
    name: Annotated[str | None, typer.Argument(help="A recipe; none lists them all.")] = None,
    preset: Annotated[str, typer.Option(help="smoke (seconds), laptop (minutes) or gpu.")] = "laptop",
    out: Annotated[Path | None, typer.Option(help="The run's folder; default: runs/NAME-PRESET.")] = None,
    images: Annotated[Path | None, typer.Option(help="A folder of your own images to train on.")] = None,
    size: Annotated[int | None, typer.Option(help="Scale and crop them to so many pixels.")] = None,
    seed: Annotated[int | None, typer.Option(help="Another seed than the preset's.")] = None,
    precision: Annotated[str | None, typer.Option(help="32-true or bf16-mixed, not the preset's.")] = None,
    set: Annotated[list[str] | None, typer.Option(help="Another number or word, such as target=x0.")] = None,
    devices: Annotated[int | None, typer.Option(help="Processes on each node.")] = None,
    nodes: Annotated[int | None, typer.Option(help="Nodes, each of them started by torchrun.")] = None,
    resume: Annotated[bool, typer.Option("--resume/--fresh", help="Go on, or start over.")] = True,
) -> None:
    """Train the recipe NAME, or go on where its folder left off."""
    from gdmcourse.recipes import CATALOG, find_recipe

    if name is None:
        for known, (_, summary) in CATALOG.items():
            typer.echo(f"{known:20}  {summary}")
        return
    if images is None:
        find_recipe(name, preset)  # a misspelt name is said before anything slow starts
    from gdmcourse.recipes.run_folder import run_recipe

    outcome = run_recipe(
        name,
        preset,
        out=out,
        images=images,
        size=size,
        seed=seed,
        precision=precision,
        settings=set or (),
        devices=devices,
        nodes=nodes,
        fresh=not resume,
    )
    if outcome.is_reporter:
        if outcome.was_complete:
            typer.echo(f"{outcome.folder} is complete; --fresh would start it over")
        else:
            typer.echo(f"done: {outcome.folder}")
        for key, value in outcome.metrics.items():
            typer.echo(f"{key:20}  {value}")


@app.command()
def study(
    name: Annotated[str | None, typer.Argument(help="A study; none lists them all.")] = None,
    to: Annotated[Path | None, typer.Option(help="Folder of the record; default: beside the study.")] = None,
    workers: Annotated[int, typer.Option(help="Parts that are measured at a time.")] = 1,
) -> None:
    """Run the study NAME, or go on where it was stopped, and write its record."""
    from gdmcourse.studies import CATALOG, find_study

    if name is None:
        for known, summary in CATALOG.items():
            typer.echo(f"{known:20}  {summary}")
        return
    found = find_study(name)
    from gdmcourse.studies.record import FOLDER
    from gdmcourse.studies.study import run_study

    run_study(found, to=to or FOLDER, workers=workers)
    typer.echo(f"done: {(to or FOLDER) / name}.json")


@app.command()
def grade(
    notebook: Annotated[Path, typer.Argument(help="The student's notebook")],
    key: Annotated[Path | None, typer.Option(help="A key or a folder of keys; teachers: solutions")] = None,
    assignment: Annotated[str | None, typer.Option(help="The chapter that was set, of several keys")] = None,
    question: Annotated[str | None, typer.Option(help="Grade this question only, such as q2")] = None,
    json: Annotated[
        str | None, typer.Option(help="Write the report as JSON to this file (- is stdout)")
    ] = None,
    html: Annotated[Path | None, typer.Option(help="Write the report as a page of HTML")] = None,
    cell_seconds: Annotated[float, typer.Option(min=1, help="The time for one cell")] = 20,
    seconds: Annotated[float, typer.Option(min=1, help="The time for the notebook")] = 180,
    workers: Annotated[int, typer.Option(min=1, help="Kernels that may run at once")] = 2,
    unsandboxed: Annotated[
        bool, typer.Option("--unsandboxed", help="Grade with a full key where there is no sandbox")
    ] = False,
) -> None:
    """Grade a notebook: points, what failed, and what would help.

    Exit code: 0 graded, whatever the score; 1 an error; 3 the submission can't be read.
    """
    import sys

    from gdmcourse.grading.clean import clean
    from gdmcourse.grading.grade import grade as run
    from gdmcourse.grading.limits import Limits
    from gdmcourse.grading.read import Unreadable
    from gdmcourse.grading.report import as_html, as_json, as_text, write_report

    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="replace")  # type: ignore[union-attr]  # a console may lack our letters
    limits = Limits(cell=cell_seconds, notebook=seconds)
    options: dict[str, Any] = {"assignment": assignment, "workers": workers, "unsandboxed": unsandboxed}
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
