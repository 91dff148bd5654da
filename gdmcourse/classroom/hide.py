"""A copy of the course for students: what they need, looked through before it is handed on."""

import shutil
from pathlib import Path

from gdmcourse.grading.clean import clean
from gdmcourse.grading.source import read_source

FOLDERS = ("book", "exercises", "gdmcourse")
FILES = (
    *("CITATION.cff", "LICENSE", "LICENSE-TEXT", "README.md", "_config.yml", "_toc.yml"),
    *("constraints.txt", "environment.yml", "pyproject.toml"),
)
SHORT = 12  # letters of a line of code that could stand anywhere
Secrets = dict[str, list[str]]


def hide(root: Path, to: Path) -> list[Path]:
    """Copy a course's folder to a new one, without solutions and whatever else isn't for students.

    Raises ValueError where the new folder isn't new, or where a file would tell a hidden probe; nothing is
    left there then.
    """
    if not list((root / "solutions").glob("*.md")):
        raise ValueError(f"there is no solutions/*.md in {clean(root)}; run this in the course's folder")
    if to.exists() and (not to.is_dir() or any(to.iterdir())):
        raise ValueError(f"{clean(to)} is not empty; name a new folder")
    if to.resolve().is_relative_to(root.resolve()):
        raise ValueError(f"{clean(to)} lies in the course itself; name a folder outside of it")
    secrets = _secrets(root)
    copied: list[Path] = []
    try:
        for path in _wanted(root):
            target = to / path.relative_to(root)
            target.parent.mkdir(parents=True, exist_ok=True)
            copied.append(Path(shutil.copyfile(path, target)))
            if told := _told(target, secrets):
                raise ValueError(f"nothing was released: {path.relative_to(root)} tells {told}")
    except BaseException:
        shutil.rmtree(to, ignore_errors=True)
        raise
    return copied


def _wanted(root: Path) -> list[Path]:
    """The files that students get; what is hidden, built or a link is left out."""
    found = [path for folder in FOLDERS for path in sorted((root / folder).rglob("*"))]
    found = [path for path in found if not any(_aside(part) for part in path.relative_to(root).parts)]
    return [
        path
        for path in [*(root / name for name in FILES), *found]
        if path.is_file() and not path.is_symlink()
    ]


def _aside(name: str) -> bool:
    return name.startswith(".") or name in ("_build", "__pycache__", "solutions")


def _secrets(root: Path) -> Secrets:
    """By hidden probe the lines that only it has, without spaces."""
    secrets: Secrets = {}
    for source in sorted((root / "solutions").glob("*.md")):
        for question in read_source(source).questions:
            shown = {line for probe in question.probes if not probe.hidden for line in _lines(probe.source)}
            for probe in question.probes:
                own = [line for line in _lines(probe.source) if line not in shown and len(line) > SHORT]
                if probe.hidden and own:
                    secrets[f"a hidden probe of {source.stem}, {question.id}"] = own
    return secrets


def _lines(text: str) -> list[str]:
    return [_bare(line) for line in text.splitlines()]


def _bare(text: str) -> str:
    """Text as it is compared: a file of JSON adds backslashes, and layout may differ."""
    return "".join(text.replace("\\", "").split())


def _told(path: Path, secrets: Secrets) -> str | None:
    """What a file tells that it should not, or None."""
    text = _bare(path.read_bytes().decode("utf-8", errors="replace"))
    return next((what for what, lines in secrets.items() if all(line in text for line in lines)), None)
