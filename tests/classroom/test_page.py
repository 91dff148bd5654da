"""The page for teachers names commands, options and forms that are there, and quotes what they say."""

import re
import shlex
from pathlib import Path

import pytest
from typer.main import get_command

from gdmcourse.classroom.export import FORMS
from gdmcourse.cli import app

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "book/teaching/grading.md").read_text()
TOLD = PAGE.replace("\\\n", " ")
LINES = sorted({line.strip("` ") for line in re.findall(r"(?:^ *|`)gdmcourse [a-z][^`\n]*", TOLD, re.M)})
SAID = re.findall(r"^\| (`[^|]+) \|", PAGE, re.M)
CODE = "".join(
    path.read_text() for path in (ROOT / "gdmcourse").glob("**/*.py") if "recipes" not in path.parts
)


@pytest.mark.parametrize("line", LINES)
def test_a_command_has_the_options_that_are_named(line):
    command = get_command(app)
    words = shlex.split(line)[1:]
    while hasattr(command, "commands"):
        command = command.commands[words.pop(0)]
    known = {option for parameter in command.params for option in parameter.opts}
    assert {word for word in words if word.startswith("--")} <= known


def test_the_page_leads_through_all_of_it():
    commands = get_command(app).commands["gradebook"].commands
    assert [name for name in commands if f"gradebook {name}" not in PAGE] == []
    assert set(re.findall(r"^\| `(\w+)` \|", PAGE, re.M)) == set(FORMS)


@pytest.mark.parametrize("said", [s for s in SAID if len(s.split("`")[1].split()) > 3])
def test_what_one_may_see_is_what_is_said(said):
    words = re.sub(r"homework\.db", "{name}", said.split("`")[1])
    assert words in CODE
