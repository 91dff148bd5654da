"""Folders that a student's code may have filled: measured while it runs, removed after it, by descriptors.

However deep, locked or full of links a folder is, no path grows longer than one name and no link is followed.
"""

import contextlib
import os
import secrets
import shutil
import stat
from pathlib import Path

PAGE, BLOCK = 4096, 512  # bytes; st_blocks counts in blocks
DEEPEST = 64  # levels of folders; an honest notebook needs a handful
TOO_DEEP = 1 << 62
OPEN = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_NOFOLLOW", 0)
BY_DESCRIPTOR = os.open in os.supports_dir_fd and os.scandir in os.supports_fd


def written(folder: Path) -> int:
    """Bytes of all that lies in a folder; each entry counts for a page, so that many are noticed too.

    A folder that can't be opened even after unlocking it, or that lies deeper than any limit, counts as more
    than every limit.
    """
    if not BY_DESCRIPTOR:
        return sum(max(PAGE, path.lstat().st_size) for path in folder.rglob("*"))
    size, level = 0, [os.open(folder, OPEN)]
    unread: list[list[str]] = []
    try:
        while level:
            if len(unread) < len(level):
                held, folders = _measure(level[-1])
                size += held
                unread.append(folders)
            if not unread[-1]:
                os.close(level.pop())
                unread.pop()
            elif len(level) > DEEPEST:
                return TOO_DEEP
            else:
                with contextlib.suppress(FileNotFoundError, NotADirectoryError):  # gone in the meantime
                    level.append(_open(unread[-1].pop(), level[-1]))
    except PermissionError:
        return TOO_DEEP
    finally:
        for descriptor in level:
            os.close(descriptor)
    return size


def remove(folder: Path) -> None:
    """Remove a folder of ours in which nothing runs any more; what is nested is lifted up and removed."""
    if not BY_DESCRIPTOR:
        shutil.rmtree(folder, ignore_errors=True)
        return
    with contextlib.suppress(OSError):
        if folder.is_symlink():
            folder.unlink()
            return
        folder.chmod(0o700)
        top = os.open(folder, OPEN)
        try:
            while names := os.listdir(top):
                for name in names:
                    if stat.S_ISDIR(os.lstat(name, dir_fd=top).st_mode):
                        _lift(name, top)
                    else:
                        os.unlink(name, dir_fd=top)
        finally:
            os.close(top)
        folder.rmdir()


def _measure(descriptor: int) -> tuple[int, list[str]]:
    """Bytes of the files in an open folder, and the names of the folders in it."""
    size, folders = 0, []
    with os.scandir(descriptor) as entries:
        for entry in entries:
            with contextlib.suppress(FileNotFoundError):
                about = entry.stat(follow_symlinks=False)
                size += max(PAGE, BLOCK * about.st_blocks)
                if stat.S_ISDIR(about.st_mode):
                    folders.append(entry.name)
    return size, folders


def _open(name: str, parent: int) -> int:
    """Open a folder in an open one, unlocking it where its owner has locked it."""
    try:
        return os.open(name, OPEN, dir_fd=parent)
    except PermissionError:
        os.chmod(name, 0o700, dir_fd=parent)
        return os.open(name, OPEN, dir_fd=parent)


def _lift(name: str, top: int) -> None:
    """Remove a folder's files, move its folders beside it, and remove it."""
    os.chmod(name, 0o700, dir_fd=top)
    inner = os.open(name, OPEN, dir_fd=top)
    try:
        for child in os.listdir(inner):
            if stat.S_ISDIR(os.lstat(child, dir_fd=inner).st_mode):
                os.chmod(child, 0o700, dir_fd=inner)  # a move writes to its entry for the parent
                os.rename(child, secrets.token_hex(16), src_dir_fd=inner, dst_dir_fd=top)
            else:
                os.unlink(child, dir_fd=inner)
    finally:
        os.close(inner)
    os.rmdir(name, dir_fd=top)
