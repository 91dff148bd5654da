"""Which key grades a sheet, and where keys lie."""

from pathlib import Path

from gdmcourse.grading.key import Key, read_key
from gdmcourse.grading.read import Sheet, Unreadable
from gdmcourse.grading.sandbox import PACKAGE
from gdmcourse.grading.syntax import bound_names


def find_key(sheet: Sheet, path: Path, keys: Path | None = None, assignment: str | None = None) -> Key:
    """The key that grades the sheet.

    Where ``keys`` is named, it or ``assignment`` decides, and nothing that a student wrote. Without it this
    is a student's own work, and the notebook may say which chapter it belongs to.
    """
    known = known_keys(keys)
    if not known:
        raise ValueError(_no_key(path, keys))
    if keys is not None or assignment is not None or len(known) == 1:
        return set_key(keys, assignment)
    for name in (sheet.chapter, path.stem):
        if name in known:
            return read_key(known[name])
    matched = _by_definitions(sheet, [read_key(file) for file in known.values()])
    if matched is None:
        raise Unreadable(
            "it can't be told which exercise this is; name it with --assignment, "
            f"as one of {', '.join(sorted(known))}"
        )
    return matched


def set_key(keys: Path | None, assignment: str | None) -> Key:
    """The key of the assignment that was set; raises ValueError where it isn't clear."""
    known = known_keys(keys)
    if not known:
        raise ValueError(_no_key(Path.cwd() / "submission", keys))
    if assignment is not None:
        if assignment not in known:
            raise ValueError(f"there is no assignment {assignment}, only {', '.join(sorted(known))}")
        return read_key(known[assignment])
    if len(known) == 1:
        return read_key(next(iter(known.values())))
    raise ValueError(
        f"{keys or 'this place'} holds the keys of {', '.join(sorted(known))}; "
        "name the one that was set with --assignment"
    )


def known_keys(keys: Path | None) -> dict[str, Path]:
    """The keys by chapter: the named file, those of the named folder, or those of this place."""
    if keys is not None and keys.is_file():
        return {keys.stem: keys}
    folders = reversed(key_folders(keys))
    return {file.stem: file for folder in folders for file in sorted(folder.glob("*.json"))}


def key_folders(keys: Path | None) -> list[Path]:
    """Where keys are; never beside a submission, where anybody could have put one."""
    if keys is not None:
        places = [keys.parent] if keys.is_file() else [keys / "key", keys]
    else:
        roots = [Path.cwd(), PACKAGE.parent]
        places = [place for root in roots for place in (root / "key", root / "exercises" / "key")]
    return [place for place in places if place.is_dir() and any(place.glob("*.json"))]


def _no_key(path: Path, keys: Path | None) -> str:
    beside = path.resolve().parent / "key"
    if keys is None and beside.is_dir():
        return f"no key is here; if you trust the one beside the notebook, name it with --key {beside}"
    place = keys or "exercises/key"
    return f"there is no key in {place}; name its folder with --key, or write it by `gdmcourse release`"


def _by_definitions(sheet: Sheet, keys: list[Key]) -> Key | None:
    """The key whose questions' functions the sheet defines most of; None where it defines none of any."""
    names = {name for cell in sheet.code for name in bound_names(cell.source)}
    scores = [(len(names & {n for q in key.questions for n in q.names}), key) for key in keys]
    best = max((score for score, _ in scores), default=0)
    leaders = [key for score, key in scores if score == best and score > 0]
    return leaders[0] if len(leaders) == 1 else None
