"""The `gdmcourse` command. Thin: each command imports its room when it runs, so that --help is instant."""

from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from gdmcourse.cli_gradebook import gradebook
from gdmcourse.cli_grading import grade, release, validate


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
def card(
    subject: Annotated[str, typer.Argument(help="The folder of a run, or a data set's name.")],
) -> None:
    """Write what code knows of a run or a data set on its card."""
    from gdmcourse.recipes.cards import card as written

    typer.echo(written(subject), nl=False)


@app.command()
def study(
    name: Annotated[str | None, typer.Argument(help="A study; none lists them all.")] = None,
    to: Annotated[Path | None, typer.Option(help="Folder of the record; default: beside the study.")] = None,
    workers: Annotated[int, typer.Option(help="Parts that are measured at a time.")] = 1,
    cluster: Annotated[str | None, typer.Option(help="Address of a Dask scheduler that measures.")] = None,
) -> None:
    """Run the study NAME, or go on where it was stopped, and write its record."""
    from gdmcourse.studies import CATALOG, find_study

    if name is None:
        for known, summary in CATALOG.items():
            typer.echo(f"{known:20}  {summary}")
        return
    found = find_study(name)
    from gdmcourse.studies.record import FOLDER
    from gdmcourse.studies.study import forecast, run_study

    typer.echo(forecast(found, to=to or FOLDER, workers=workers))
    run_study(found, to=to or FOLDER, workers=workers, cluster=cluster)
    typer.echo(f"done: {(to or FOLDER) / name}.json")


for command in (release, validate, grade):
    app.command()(command)
app.add_typer(gradebook)
