"""Whatever comes from a student, made fit for one line of a report."""

import re

ESCAPES = re.compile(r"\x1b(\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(\x07|\x1b\\)?|.)?", re.DOTALL)
LONGEST = 400


def clean(text: object, longest: int = LONGEST) -> str:
    """One line that any file and any console can take: no escape sequence, no control, no half character.

    Runs of spaces become one, so that no text can imitate another line of the report.
    """
    plain = ESCAPES.sub(" ", str(text)).encode("utf-8", errors="replace").decode("utf-8")
    words = "".join(char if char.isprintable() else " " for char in plain).split()
    line = " ".join(words)
    return line if len(line) <= longest else line[: longest - 1] + "…"


def code_lines(source: str, most: int = 200, longest: int = LONGEST) -> list[str]:
    """The first lines of code, each made fit as above with its indent kept."""
    lines = []
    for line in source.splitlines()[:most]:
        body = line.lstrip(" ")
        lines.append(" " * min(len(line) - len(body), 80) + clean(body, longest))
    return lines
