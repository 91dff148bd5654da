"""The `gdmcourse` command. Thin: each command imports its room when it runs, so that --help is instant."""

import typer

app = typer.Typer(
    name="gdmcourse",
    help="A course on generative models: fetch data, train the book's models, release and grade exercises.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


@app.callback()
def main() -> None:
    """Keep `gdmcourse COMMAND` the form even while there is a single command."""
