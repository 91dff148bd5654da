"""Pages of HTML that stand alone: no script, no other file, and whatever is written on one is escaped."""

import html
from collections.abc import Iterable
from typing import Any

from gdmcourse.grading.clean import clean, code_lines
from gdmcourse.grading.report import STYLE

MORE = """
h1{line-height:1.25}table{border-collapse:collapse;margin:.5rem 0}
th,td{padding:.25rem .6rem;text-align:left;vertical-align:top}
tr{border-bottom:1px solid color-mix(in srgb,currentColor 20%,transparent)}
td.n,th.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
code,pre{font:14px/1.45 ui-monospace,monospace;overflow-wrap:anywhere}pre{white-space:pre-wrap}
.wide{overflow-x:auto}.right,.wrong{white-space:nowrap}.right{color:light-dark(#106b21,#7fd48c)}.wrong{color:light-dark(#a11d1d,#ff9d94)}
svg{max-width:100%;height:auto}svg text{font:13px system-ui,sans-serif;fill:currentColor}
"""


def text(value: Any, longest: int = 1000) -> str:
    """One line, cleaned and escaped."""
    return html.escape(clean(value, longest))


def block(value: str, longest: int = 20_000) -> str:
    """Several lines, such as code or an essay, cleaned and escaped; a paragraph may be one line."""
    lines = code_lines(value[:longest], most=longest, longest=longest)
    return html.escape("\n".join([*lines, "…"] if len(value) > longest else lines))


def table(heads: Iterable[str], rows: Iterable[Iterable[str]], numbers: Iterable[int] = ()) -> str:
    """A table of cells that are HTML already; the columns ``numbers`` are set to the right."""
    right = set(numbers)

    def row(cells: Iterable[str], tag: str) -> str:
        made = (f"<{tag}{' class=n' if at in right else ''}>{cell}</{tag}>" for at, cell in enumerate(cells))
        return f"<tr>{''.join(made)}</tr>"

    body = "".join(row(cells, "td") for cells in rows)
    return f"<div class=wide><table><thead>{row(heads, 'th')}</thead><tbody>{body}</tbody></table></div>"


def page(title: str, parts: Iterable[str], wide: bool = False) -> str:
    """The whole page."""
    head = '<meta charset="utf-8"><meta name="viewport" content="width=device-width">'
    style = STYLE + MORE + ("body{max-width:75rem}" if wide else "")
    return (
        f"<!doctype html><html lang=en>{head}<title>{text(title)}</title><style>{style}</style>"
        f"<main>{''.join(parts)}</main></html>\n"
    )
