"""MyST Markdown turned into what any notebook shows: roles into their values, directives into plain blocks.

A cell of a downloaded notebook is read in JupyterLab, Colab or an editor, none of which knows the book. So a
reference becomes the number or the words that the book's page has, an equation keeps its number by `\\tag`,
and a note becomes a quotation.
"""

import re
from collections.abc import Callable
from typing import Protocol

_OPEN = re.compile(
    r"^(?P<indent>[ ]{0,3})(?P<fence>`{3,}|~{3,}|:{3,})(?:\{(?P<name>[\w:.-]+)\}[ \t]*(?P<argument>.*))?"
)
_ROLE = re.compile(r"\{(?P<name>[\w:.+-]+)\}(?P<tick>`+)(?P<text>.+?)(?P=tick)", re.S)
_MATHS = re.compile(r"\$\$(?P<formula>.*?)\$\$[ \t]*\((?P<label>[\w-]+)\)", re.S)
_OWN_TARGET = re.compile(r"^\([\w-]+\)=[ \t]*\n?", re.M)
_LOCAL_LINK = re.compile(r"(?<!!)\[(?P<text>[^\]]*)\]\((?!https?:|mailto:)[^)\s]*\)")
_LOCAL_IMAGE = re.compile(r"!\[(?P<alt>[^\]]*)\]\((?!https?:|data:)[^)]*\)")
_COMMENT = re.compile(r"^%.*\n?", re.M)


class Lookup(Protocol):
    """What the text of a page refers to, in words."""

    def role(self, name: str, text: str) -> str:
        """Return what stands in place of a role: a glued value, a number, a name, a citation."""

    def equation(self, label: str) -> str:
        """Return the number of an equation, without parentheses, or nothing if it has none."""

    def directive(self, name: str, argument: str, options: dict[str, str], body: str) -> str | None:
        """Return Markdown in place of a directive of the book's own, or None for what this module knows."""


def plain(text: str, lookup: Lookup) -> str:
    """Return MyST `text` as plain Markdown."""
    done: list[str] = []
    prose: list[str] = []

    def flush() -> None:
        if prose:
            done.append(_prose("\n".join(prose), lookup))
            prose.clear()

    lines = text.split("\n")
    at = 0
    while at < len(lines):
        start = _OPEN.match(lines[at])
        if start is None:
            prose.append(lines[at])
            at += 1
            continue
        flush()
        end = _closing(lines, at, start["fence"])
        body = "\n".join(lines[at + 1 : end])
        if start["name"] is None:
            done.append("\n".join(lines[at : end + 1]))  # a block of code stands as it is
        else:
            done.append(_directive(start["name"], start["argument"].strip(), body, lookup))
        at = end + 1
    flush()
    return "\n".join(done).strip()


def _closing(lines: list[str], at: int, fence: str) -> int:
    for end in range(at + 1, len(lines)):
        line = lines[end].strip()
        if line.startswith(fence) and set(line) == {fence[0]}:
            return end
    return len(lines)


def _directive(name: str, argument: str, body: str, lookup: Lookup) -> str:
    options, body = _options(body)
    own = lookup.directive(name, argument, options, body)
    if own is not None:
        return own
    if name == "math":
        number = lookup.equation(options.get("label", ""))
        return f"$$\n{body.strip()}{_tag(body, number)}\n$$"
    if name in ("code", "code-block", "literalinclude"):
        return f"```{argument}\n{body}\n```"
    if name in ("figure", "image"):
        caption = plain(body, lookup)
        return f"*[Figure in the book: {options.get('alt', '')}]* {caption}".strip()
    if name == "list-table":
        return _table(argument, body, lookup)
    titled = name in ("admonition", "dropdown", "topic", "card")
    title = _inline(argument if titled else f"{name.capitalize()}. {argument}".strip(), lookup)
    quoted = f"**{title}**\n\n{plain(body, lookup)}"
    return "\n".join(f"> {line}".rstrip() for line in quoted.split("\n"))


def _options(body: str) -> tuple[dict[str, str], str]:
    lines = body.split("\n")
    options = {}
    if lines and lines[0].strip() == "---":
        end = lines.index("---", 1)
        pairs, lines = lines[1:end], lines[end + 1 :]
    else:
        count = next((at for at, line in enumerate(lines) if not re.match(r"^:[\w-]+:", line)), len(lines))
        pairs, lines = [line[1:] for line in lines[:count]], lines[count:]
    for pair in pairs:
        key, _, value = pair.partition(":")
        options[key.strip()] = value.strip()
    return options, "\n".join(lines).strip("\n")


def _table(title: str, body: str, lookup: Lookup) -> str:
    rows: list[list[str]] = []
    for line in body.split("\n"):
        if start := re.match(r"^\* - ?(.*)$", line):
            rows.append([start[1]])
        elif start := re.match(r"^  - ?(.*)$", line):
            rows[-1].append(start[1])
        elif rows and line.strip():
            rows[-1][-1] += f" {line.strip()}"
    written = ["| " + " | ".join(_prose(cell, lookup) for cell in row) + " |" for row in rows]
    written.insert(1, "|" + " --- |" * len(rows[0]))
    head = [f"**{_inline(title, lookup)}**", ""] if title else []
    return "\n".join([*head, *written])


def _prose(text: str, lookup: Lookup) -> str:
    text = _OWN_TARGET.sub("", _COMMENT.sub("", text))

    def numbered(match: re.Match[str]) -> str:
        formula = match["formula"].rstrip()
        gap = "\n" if match["formula"].endswith("\n") else " "
        return f"$${formula}{_tag(formula, lookup.equation(match['label']))}{gap}$$"

    return _inline(_MATHS.sub(numbered, text), lookup)


def _tag(formula: str, number: str) -> str:
    # MathJax refuses a tag around an environment that numbers its own lines.
    return (
        f" \\tag{{{number}}}"
        if number and not re.search(r"\\begin\{(align|gather|equation)\*?\}", formula)
        else ""
    )


def _inline(text: str, lookup: Lookup) -> str:
    text = _ROLE.sub(_words(lookup), text)
    text = _LOCAL_IMAGE.sub(lambda image: f"*[Figure in the book: {image['alt']}]*", text)
    return _LOCAL_LINK.sub(lambda link: link["text"], text)


def _words(lookup: Lookup) -> Callable[[re.Match[str]], str]:
    return lambda role: lookup.role(role["name"], role["text"])
