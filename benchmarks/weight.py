"""What a browser loads before it can paint a page: the page, its style sheets, and scripts that block."""

import re
from pathlib import Path
from urllib.parse import urlsplit

from bs4 import BeautifulSoup

_PICTURE = re.compile(r'src="data:image/[^"]*"')
BLOCKING = 'link[rel="stylesheet"][href], script[src]:not([defer]):not([async]):not([type="module"])'


def bytes_before_paint(page: Path) -> int:
    """The bytes of a built page before its first paint, pictures left out, those inside the page too."""
    text = page.read_text(encoding="utf-8")
    total = len(_PICTURE.sub("", text).encode())
    for part in BeautifulSoup(text, "html.parser").select(BLOCKING):
        total += (page.parent / urlsplit(part.get("href") or part["src"]).path).resolve().stat().st_size
    return total
