"""Which key belongs to a notebook, and where keys lie."""

from pathlib import Path

from gdmcourse.grading.key import Key, read_key
from gdmcourse.grading.names import defined_names
from gdmcourse.grading.notebook import Notebook, source_text
from gdmcourse.grading.sandbox import PACKAGE
from gdmcourse.grading.submission import Unreadable


def find_key(notebook: Notebook, path: Path, keys: Path | None) -> Key:
    """The key of a notebook's chapter, by its metadata, its file name, or the functions that it defines."""
    if keys is not None and keys.is_file():
        return read_key(keys)
    folders = key_folders(path, keys)
    found = {file.stem: file for folder in reversed(folders) for file in sorted(folder.glob("*.json"))}
    if not found:
        places = ", ".join(map(str, folders)) or keys or "exercises/key"
        raise ValueError(
            f"there is no key in {places}; name its folder with --key, or write it by `gdmcourse release`"
        )
    for name in (chapter_of(notebook), path.stem):
        if name in found:
            return read_key(found[name])
    matched = match_key(notebook, [read_key(file) for file in found.values()])
    if matched is None:
        known = ", ".join(sorted(found))
        raise Unreadable(f"it can't be told which exercise this is; name the file after one of {known}")
    return matched


def key_folders(path: Path, keys: Path | None) -> list[Path]:
    """Where keys are: in the folder that was named, else beside the notebook, here, or beside the package."""
    if keys is not None:
        places = [keys.parent] if keys.is_file() else [keys / "key", keys]
    else:
        roots = [path.resolve().parent, Path.cwd(), PACKAGE.parent]
        places = [place for root in roots for place in (root / "key", root / "exercises" / "key")]
    return [place for place in places if place.is_dir() and any(place.glob("*.json"))]


def chapter_of(notebook: Notebook) -> str | None:
    """The chapter that the notebook says it belongs to, if an editor has left that in place."""
    metadata = notebook.get("metadata")
    about = metadata.get("gdmcourse") if isinstance(metadata, dict) else None
    chapter = about.get("chapter") if isinstance(about, dict) else None
    return chapter if isinstance(chapter, str) else None


def match_key(notebook: Notebook, keys: list[Key]) -> Key | None:
    """The key whose questions' functions the notebook defines most of; None where it defines none of any."""
    names = {name for cell in notebook["cells"] for name in defined_names(source_text(cell))}
    scores = [(len(names & {n for q in key.questions for n in q.names}), key) for key in keys]
    best = max((score for score, _ in scores), default=0)
    found = [key for score, key in scores if score == best and score > 0]
    return found[0] if len(found) == 1 else None
