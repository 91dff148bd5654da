"""The command line: help on one screen, exit codes, no tracebacks, nothing heavy before it is needed."""

import json
import shlex
import subprocess
import sys
import urllib.error
import urllib.request

import pytest
from typer.main import get_command
from typer.testing import CliRunner

import gdmcourse
from gdmcourse.cli import app
from gdmcourse.training import NonFiniteLoss

SHOWS_HELP = {"typer", "click", "rich", "pygments", "markdown_it", "mdurl", "linkify_it", "shellingham"}
SHOWS_HELP |= {"annotated_doc", "attr", "typing_extensions"}
COMMANDS = list(get_command(app).commands)
HELP = "from gdmcourse.cli import app; app(['--help'], standalone_mode=False)"


def run(*arguments: str):
    return CliRunner().invoke(app, list(arguments), env={"COLUMNS": "80", "TERMINAL_WIDTH": "80"})


def test_the_help_fits_on_one_screen_and_names_every_command():
    result = run("--help")
    assert result.exit_code == 0
    lines = result.stdout.strip("\n").splitlines()
    assert len(lines) <= 24
    assert max(map(len, lines)) <= 80
    for command in COMMANDS:
        assert any(f" {command} " in line for line in lines)
    assert set(COMMANDS) >= {"data", "train", "release", "grade"}
    assert "…" not in result.stdout, "a description is cut off"


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(command):
    result = run(command, "--help")
    assert result.exit_code == 0
    assert f"gdmcourse {command}" in result.stdout or f"{command} [OPTIONS]" in result.stdout


@pytest.mark.parametrize(
    "arguments", [[], ["no-such-command"], ["data", "--no-such-option"], ["data", "a", "b"]]
)
def test_wrong_usage_exits_with_2(arguments):
    assert run(*arguments).exit_code == 2


def test_bad_input_exits_with_1_and_a_sentence():
    code = "from gdmcourse.cli import app; app(['data', 'no-such-data'])"
    process = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert process.returncode == 1
    assert process.stdout == ""
    assert process.stderr.startswith("Error: There is no data set 'no-such-data'.")
    assert "Traceback" not in process.stderr


def test_a_training_that_diverged_exits_with_1_and_a_sentence(monkeypatch):
    def diverge(*args, **options):
        raise NonFiniteLoss(7, "loss", float("nan"), None)

    monkeypatch.setattr("gdmcourse.recipes.run_folder.run_recipe", diverge)
    result = run("train", "classifier-digits", "--preset", "smoke")
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: ")
    assert "7" in result.stderr


@pytest.mark.parametrize(
    ("setting", "message"),
    [("T=0", "at least one step"), ("sample_steps=2000", "1 … T = 1000"), ("beta=2", "with a field of")],
)
def test_a_recipe_that_cannot_be_is_refused_before_the_training(setting, message, tmp_path):
    result = run(
        "train", "ddpm-digits", "--preset", "smoke", "--set", setting, "--out", str(tmp_path / "run")
    )
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: ")
    assert message in result.stderr
    assert not (tmp_path / "run").exists()


def test_an_interrupt_exits_with_130(monkeypatch):
    def interrupt(*args):
        raise KeyboardInterrupt

    monkeypatch.setattr("gdmcourse.data.load", interrupt)
    result = run("data", "digits")
    assert result.exit_code == 130
    assert "Traceback" not in result.output


def test_a_reader_that_leaves_early_is_no_error():
    code = "from gdmcourse.cli import app; app(['data'])"
    command = f"{shlex.quote(sys.executable)} -c {shlex.quote(code)} | true"
    process = subprocess.run(["bash", "-c", command], capture_output=True, text=True)
    assert "Traceback" not in process.stderr


def test_a_fault_of_ours_keeps_its_traceback(monkeypatch):
    monkeypatch.setattr("gdmcourse.data.load", lambda *a: 1 / 0)
    assert isinstance(run("data", "digits").exception, ZeroDivisionError)


def loaded(statement):
    """The packages outside the standard library that Python has loaded after a statement."""
    code = f"import sys\n{statement}\nimport json; print(json.dumps(sorted(sys.modules)))"
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    packages = {name.partition(".")[0] for name in json.loads(printed.strip().splitlines()[-1])}
    return packages - sys.stdlib_module_names


@pytest.mark.parametrize(("statement", "needed"), [("import gdmcourse", set()), (HELP, SHOWS_HELP)])
def test_help_comes_at_once_since_nothing_heavy_is_imported(statement, needed):
    assert loaded(statement) - loaded("pass") <= {"gdmcourse", *needed}


def test_the_installed_command_is_this_one():
    from importlib.metadata import entry_points, version

    (script,) = [e for e in entry_points(group="console_scripts") if e.name == "gdmcourse"]
    assert script.value == "gdmcourse.cli:app"
    assert version("gdmcourse") == gdmcourse.__version__


def test_data_lists_every_set_with_shape_sizes_and_place(tmp_path, monkeypatch):
    monkeypatch.setenv("GDMCOURSE_DATA", str(tmp_path))
    lines = run("data").stdout.splitlines()
    assert lines[0].split() == ["digits", "1×8×8", "1,442", "+", "355", "scikit-learn"]
    assert lines[1].startswith(
        "mnist     1×28×28   60,000 + 10,000  not here; fetch it by `gdmcourse data mnist`"
    )
    assert lines[2].startswith("cifar10   3×32×32   50,000 + 10,000  not here")
    assert lines[3].split() == ["stacked", "3×8×8", "25,600", "+", "10,000", "scikit-learn"]
    assert "moons" in lines[4]


def test_data_says_where_a_set_lies(tmp_path, monkeypatch):
    monkeypatch.setenv("GDMCOURSE_DATA", str(tmp_path))
    (tmp_path / "cifar10-images.tar.xz").touch()
    assert str(tmp_path / "cifar10-images.tar.xz") in run("data").stdout


def test_a_thousand_classes_are_not_all_listed():
    assert "Classes: 000 … 999" in run("data", "stacked").stdout


def test_data_verifies_and_describes_a_set():
    result = run("data", "digits")
    assert result.exit_code == 0
    assert "digits, train: 1,442 images of 1×8×8, 10 classes), values from -1 to 1" in result.stdout
    assert "digits, test: 355 images" in result.stdout
    assert "Classes: 0, 1, 2, 3, 4, 5, 6, 7, 8, 9" in result.stdout


def test_data_without_a_network_says_what_to_set(tmp_path, monkeypatch):
    def refuse(*args, **kwargs):
        raise urllib.error.URLError("Name or service not known")

    monkeypatch.setattr(urllib.request, "urlopen", refuse)
    monkeypatch.setenv("GDMCOURSE_DATA", str(tmp_path))
    result = run("data", "mnist")
    assert result.exit_code == 1
    assert "set GDMCOURSE_DATA to a folder that holds MNIST/raw" in result.stderr


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (MemoryError(), "the memory is too small for this"),
        (RuntimeError("CUDA out of memory. Tried to allocate 20 GiB"), "--set batch_size="),
        (
            RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried"),
            "smaller preset",
        ),
        (OSError(28, "No space left on device"), "the disk is full"),
        (RuntimeError("Error while serializing: No space left on device (os error 28)"), "last checkpoint"),
    ],
)
def test_a_machine_that_is_too_small_is_told_in_a_sentence(error, said, monkeypatch):
    def fail(*arguments):
        raise error

    monkeypatch.setattr("gdmcourse.data.data_root", fail)
    result = run("data")
    assert result.exit_code == 1
    assert said in result.stderr
    assert "Traceback" not in result.output


def test_a_card_of_data_or_of_a_run_is_written_with_its_blanks(tmp_path):
    of_data = run("card", "digits")
    assert of_data.exit_code == 0
    assert of_data.stdout.startswith("# Data card: digits\n")
    assert "to be written by a person" in of_data.stdout
    folder = tmp_path / "run"
    assert run("train", "gan-shapes", "--preset", "smoke", "--out", str(folder)).exit_code == 0
    of_run = run("card", str(folder))
    assert of_run.exit_code == 0
    assert of_run.stdout.startswith("# Model card: gan-shapes\n")
    assert "| steps | 8 |" in of_run.stdout


def test_a_card_of_nothing_or_of_half_a_run_is_refused_with_a_sentence(tmp_path):
    nothing = run("card", "no-such-thing")
    assert nothing.exit_code == 1
    assert nothing.stderr.startswith("Error: no-such-thing is neither the folder of a run")
    (tmp_path / "config.json").write_text("{}")
    half = run("card", str(tmp_path))
    assert half.exit_code == 1
    assert "isn't complete" in half.stderr
    assert "Traceback" not in half.output


def test_a_mistake_of_ours_keeps_its_traceback(monkeypatch):
    def fail(*arguments):
        raise KeyError("ours")

    monkeypatch.setattr("gdmcourse.data.data_root", fail)
    assert isinstance(run("data").exception, KeyError)
