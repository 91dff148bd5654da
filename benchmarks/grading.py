"""Seconds to grade one notebook beyond the time of its own code, beside nbgrader and otter-grader.

The same answers and probes are graded by all three in turn. The peers live in an environment of their own in
the cache, since they pin other versions; torch comes from ours. Each must give full marks, or it fails.
"""

import json
import os
import statistics
import subprocess
import sys
import sysconfig
import tempfile
import time
import venv
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from platformdirs import user_cache_path

from benchmarks.row import row
from gdmcourse.grading.exercise import Exercise
from gdmcourse.grading.key import Key, KeyProbe, read_key
from gdmcourse.grading.notebook import code, notebook, source_text, write_json
from gdmcourse.grading.release import student_notebook
from gdmcourse.grading.source import read_source

ROOT = Path(__file__).parents[1]
CHAPTER, REPEATS, BUDGET = "forward_process", 5, 2.5
PEERS = ("nbgrader==0.9.6", "otter-grader==7.0.0")

# What a test is for a peer: run the probe and compare its numbers, in the process of the answers.
EXPECT = """
def flat(value):
    value = value.tolist() if hasattr(value, "tolist") else value
    return [x for item in value for x in flat(item)] if isinstance(value, (list, tuple)) else [value]

def expect(env, source, expected):
    found = []
    exec(source, {**env, "probe": lambda value, **_: found.extend(flat(value))})
    assert len(found) == len(expected)
    assert all(a == b or abs(a - b) <= 1e-6 + 1e-3 * abs(b) for a, b in zip(found, expected))
"""


def rows() -> list[dict[str, str | float]]:
    """The overhead against its budget and against each peer: medians of interleaved runs."""
    exercise, key = (
        read_source(ROOT / f"solutions/{CHAPTER}.md"),
        read_key(ROOT / f"solutions/key/{CHAPTER}.json"),
    )
    peers = install()
    with tempfile.TemporaryDirectory(prefix="gdm-bench-") as name:
        folder = Path(name)
        runs: dict[str, Callable[[], None]] = {
            "code": plain(exercise, folder),
            "ours": ours(exercise, folder),
            "nbgrader": nbgrader(exercise, key, folder / "nbgrader", peers),
            "otter-grader": otter(exercise, key, folder / "otter", peers),
        }
        seconds: dict[str, list[float]] = {name: [] for name in runs}
        for repeat in range(REPEATS + 1):
            for name, grade in runs.items():
                begin = time.perf_counter()
                grade()
                if repeat:  # the first run of each reads its files from the disk
                    seconds[name].append(time.perf_counter() - begin)
    own = statistics.median(seconds.pop("code"))
    beyond = {name: statistics.median(values) - own for name, values in seconds.items()}
    what = "grading one notebook, beyond its own code"
    found = [row(f"{what} (peer: budget)", beyond["ours"], BUDGET, "s")]
    return found + [
        row(f"{what} (peer: {p})", beyond["ours"], beyond[p], "s") for p in ("nbgrader", "otter-grader")
    ]


def install() -> Path:
    """The folder of the peers' programs; the environment is made once, and again for other versions."""
    place = user_cache_path("gdmcourse") / "bench-peers"
    programs, stamp = place / "bin", place / "installed.txt"
    wanted = " ".join([*PEERS, sys.prefix])
    if not stamp.exists() or stamp.read_text() != wanted:
        print("  installing the peers", flush=True)
        venv.create(place, clear=True, with_pip=True)
        run(programs / "python", "-m", "pip", "install", *PEERS, cwd=place)
        theirs = subprocess.check_output(
            [programs / "python", "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"], text=True
        )
        paths = f"{sysconfig.get_path('purelib')}\n{ROOT}\n"
        Path(theirs.strip(), "zz_gdmcourse.pth").write_text(paths)  # behind their own packages
        stamp.write_text(wanted)
    return programs


def run(*command: str | Path, cwd: Path) -> None:
    """Run quietly; a failure shows what was said."""
    environment = {
        **os.environ,
        "PATH": f"{Path(command[0]).parent}:{os.environ['PATH']}",
        "OMP_NUM_THREADS": "1",
    }
    done = subprocess.run(
        [*map(str, command)], cwd=cwd, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(f"{command[0]} failed:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")


def plain(exercise: Exercise, folder: Path) -> Callable[[], None]:
    """The notebook's own code as a plain program: setup, answers and probes."""
    lines = ["def probe(*_, **__): pass", *exercise.setup]
    for question in exercise.questions:
        lines += [question.answer, *(probe.source for probe in question.probes)]
    script = folder / "plain.py"
    script.write_text("\n".join(lines))
    return lambda: run(sys.executable, script, cwd=folder)


def ours(exercise: Exercise, folder: Path) -> Callable[[], None]:
    """`gdmcourse grade` with the teacher's key."""
    path = folder / f"{exercise.chapter}.ipynb"
    submission = student_notebook(exercise)
    answers = {f"{question.id}-answer": question.answer for question in exercise.questions}
    for cell in submission["cells"]:
        cell["source"] = answers.get(cell["id"], cell["source"])
    write_json(path, submission)
    report = folder / "ours.json"

    def grade() -> None:
        program = [
            sys.executable,
            "-m",
            "gdmcourse",
            "grade",
            path,
            "--key",
            ROOT / f"solutions/key/{CHAPTER}.json",
        ]
        run(*program, "--json", report, cwd=folder)
        full_marks("gdmcourse", json.loads(report.read_text())["earned"], exercise.points)

    return grade


def nbgrader(
    exercise: Exercise, key: Key, folder: Path, programs: Path, students: int = 1
) -> Callable[[], None]:
    """`nbgrader autograde`; the notebook's test cells compare the numbers of our probes."""
    cells = [code(source, f"setup-{n}") for n, source in enumerate((*exercise.setup, EXPECT))]
    for question, known in zip(exercise.questions, key.questions, strict=True):
        cells.append(code(question.answer, f"{question.id}-answer", nbgrader=about(f"{question.id}-answer")))
        for probe in known.probes:
            test = f"expect(globals(), {probe.source!r}, {numbers(probe)!r})"
            cells.append(code(test, probe.id, nbgrader=about(probe.id, probe.points)))
    names = [f"student{number}" for number in range(students)]
    for place in ("source", *(f"submitted/{name}" for name in names)):
        write_json(folder / place / "sheet" / "sheet.ipynb", notebook(cells))
    (folder / "nbgrader_config.py").write_text(
        f"c = get_config()\nc.CourseDirectory.root = {str(folder)!r}\n"
    )
    run(programs / "nbgrader", "generate_assignment", "sheet", cwd=folder)

    def grade() -> None:
        run(programs / "nbgrader", "autograde", "sheet", "--force", cwd=folder)
        for name in names:
            graded = json.loads((folder / f"autograded/{name}/sheet/sheet.ipynb").read_text())
            found = {cell["id"]: cell for cell in graded["cells"]}
            tests = [found[probe.id] for question in key.questions for probe in question.probes]
            passed = sum(1 for cell in tests if cell["execution_count"] and not cell["outputs"])
            assert all("expect" in source_text(cell) for cell in tests)
            full_marks("nbgrader", passed, len(tests))

    return grade


def otter(exercise: Exercise, key: Key, folder: Path, programs: Path) -> Callable[[], None]:
    """`otter run`, without a container; its test files compare the numbers of our probes."""
    sources = [*exercise.setup, *(question.answer for question in exercise.questions)]
    write_json(folder / "sheet.ipynb", notebook([code(text, f"cell-{n}") for n, text in enumerate(sources)]))
    with zipfile.ZipFile(folder / "autograder.zip", "w") as archive:
        archive.writestr("otter_config.json", json.dumps({"logo": False}))
        for question in key.questions:
            lines = [
                "from otter.test_files import test_case",
                "OK_FORMAT = False",
                f"name = {question.id!r}",
                EXPECT,
            ]
            for number, probe in enumerate(question.probes):
                lines.append(f"@test_case(points={probe.points}, hidden=False)\ndef test_{number}(env):")
                lines.append(f"    expect(env, {probe.source!r}, {numbers(probe)!r})")
            archive.writestr(f"tests/{question.id}.py", "\n".join(lines))

    def grade() -> None:
        run(programs / "otter", "run", "-a", "autograder.zip", "sheet.ipynb", cwd=folder)
        tests = json.loads((folder / "results.json").read_text())["tests"]
        full_marks("otter-grader", sum(test.get("score", 0) for test in tests), key_points(key))

    return grade


def about(name: str, points: float | None = None) -> dict[str, Any]:
    """nbgrader's mark of a test cell, or of an answer's cell where there are no points."""
    test = points is not None
    mark = {"grade": test, "solution": not test, "locked": test, "task": False, "grade_id": name}
    return {**mark, "schema_version": 3, "cell_type": "code", **({"points": points} if test else {})}


def numbers(probe: KeyProbe) -> list[Any]:
    """The expected numbers (and texts) of a probe, flat."""

    def flat(value: dict[str, Any]) -> list[Any]:
        if "items" in value:
            return [number for item in value["items"] for number in flat(item)]
        return list(value.get("values") or [value.get("text")])

    return [number for entry in probe.expected for number in flat(entry["value"])]


def key_points(key: Key) -> float:
    return sum(question.points for question in key.questions)


def full_marks(who: str, got: float, most: float) -> None:
    """A grader that doesn't give the reference full marks has measured something else."""
    if abs(got - most) > 1e-9:
        raise RuntimeError(f"{who} gave the reference {got:g} of {most:g} points")


if __name__ == "__main__":
    print(json.dumps(rows(), indent=1))
