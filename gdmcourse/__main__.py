"""`python -m gdmcourse` is the `gdmcourse` command of this very environment."""

from gdmcourse.cli import app

if __name__ == "__main__":
    app(prog_name="gdmcourse")
