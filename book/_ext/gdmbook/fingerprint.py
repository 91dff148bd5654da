"""What a chapter's results depend on: its code, what it reaches of the library, the installed versions."""

import hashlib

from gdmbook.chapters import Page
from gdmbook.library import Library


def fingerprint(page: Page) -> str:
    """Return a hash that changes when the results of `page` could change."""
    cells = [cell.source for cell in page.notebook().cells if cell.cell_type == "code"]
    digest = hashlib.sha256("\0".join(cells).encode())
    library = Library.under(page.root)
    modules, strings = library.reached(cells)
    for name in sorted(modules):
        digest.update(f"\0{name}\0{library.source(name)}".encode())
    for path in library.files(modules, strings):
        digest.update(f"\0{path.name}\0".encode() + path.read_bytes())
    digest.update((page.root / "constraints.txt").read_bytes())
    return digest.hexdigest()
