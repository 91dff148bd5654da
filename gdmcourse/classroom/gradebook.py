"""The gradebook: a file of SQLite, written by one process, in transactions that hold or leave nothing.

What a run gave is kept by the content of the file and by what decided the run, so identical files are graded
once and a changed key runs only what it changed. Grades of earlier versions and all decisions stay.
"""

import contextlib
import datetime
import json
import os
import sqlite3
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from gdmcourse.classroom.collect import Submission
from gdmcourse.classroom.schema import APPLICATION, SCHEMA, TABLES, Decision
from gdmcourse.classroom.version import stamp
from gdmcourse.classroom.work import Kept
from gdmcourse.grading.clean import clean
from gdmcourse.grading.key import Key, key_of


class Gradebook:
    """An open gradebook; ``writes`` keeps other writers out until it is closed."""

    def __init__(self, path: Path, writes: bool = False, create: bool = False) -> None:
        """Open the file; raises ValueError, in a sentence, where that can't be."""
        self.path = path
        if not create and not path.is_file():
            raise ValueError(
                f"there is no gradebook {clean(path)}; `gdmcourse grade … --gradebook` makes one"
            )
        if not path.absolute().parent.is_dir():
            raise ValueError(f"there is no folder {clean(path.parent)} for a gradebook")
        self._lock = FileLock(f"{path}.lock", timeout=0) if writes else None
        with self._said():
            if self._lock is not None:
                self._lock.acquire()
            if create:  # it holds hidden probes, so nobody else may read it
                os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
            uri = f"{path.absolute().as_uri()}?mode={'rwc' if create else 'rw' if writes else 'ro'}"
            self.db = sqlite3.connect(uri, uri=True, timeout=10, isolation_level=None)
        try:
            with self._said():
                self._prepare(create)
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> "Gradebook":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file; what isn't committed leaves no trace."""
        self.db.close()
        if self._lock is not None:
            self._lock.release()

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """All that is written within holds together, or nothing of it."""
        with self._said():
            self.db.execute("BEGIN IMMEDIATE")
            try:
                yield
                self.db.execute("COMMIT")
            except BaseException:
                with contextlib.suppress(sqlite3.Error):
                    self.db.execute("ROLLBACK")
                raise

    def rows(self, query: str, *values: Any) -> list[sqlite3.Row]:
        """What a query finds."""
        with self._said():
            return self.db.execute(query, values).fetchall()

    def set_assignment(self, key: Key) -> None:
        """Take the key as it stands now; the late policy of the assignment stays."""
        made = stamp(key)
        with self.transaction():
            self.db.execute(
                "INSERT INTO assignment (name, version, wording, key) VALUES (?, ?, ?, ?) ON CONFLICT (name) "
                "DO UPDATE SET version = excluded.version, wording = excluded.wording, key = excluded.key",
                (key.chapter, made.version, made.wording, made.text),
            )

    def assignment(self, name: str | None = None) -> Key:
        """The key of the assignment, which has to be named where there are several."""
        known = {
            row["name"]: row["key"] for row in self.rows("SELECT name, key FROM assignment ORDER BY name")
        }
        if name is None and len(known) == 1:
            name = next(iter(known))
        if name not in known:
            what = "nothing is graded here yet" if not known else f"name one of {', '.join(known)}"
            raise ValueError(f"{clean(self.path)}: {what}" + (" with --assignment" if known else ""))
        return key_of(json.loads(known[name]))

    def take_in(self, assignment: str, found: Iterable[tuple[Submission, str | None, str | None]]) -> int:
        """Note what was handed in: submissions with the hash of their content, or with what is wrong."""
        with self.transaction():
            intake = self.db.execute(
                "INSERT INTO intake (at, assignment) VALUES (?, ?)", (now(), assignment)
            ).lastrowid
            self.db.executemany(
                "INSERT INTO handed_in (intake, assignment, student, name, file, at, hash, problem) "
                "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    (intake, assignment, s.student.id, s.student.name, s.file, s.at, digest, problem)
                    for s, digest, problem in found
                ),
            )
        return intake or 0

    def known(self, digest: str, key: Key) -> dict[str, tuple[str, Kept]]:
        """By question the limits and the outcome of earlier runs of this content that still hold."""
        found = self.rows("SELECT question, runs, limits, outcome FROM outcome WHERE hash = ?", digest)
        wanted = stamp(key).runs
        return {
            row["question"]: (row["limits"], json.loads(row["outcome"]))
            for row in found
            if wanted.get(row["question"]) == row["runs"]
        }

    def is_graded(self, digest: str, key: Key) -> bool:
        """Whether all who handed this content in have their grade, in the words of this key."""
        return not self.rows(
            "SELECT 1 FROM handed_in h WHERE h.assignment = ?1 AND h.hash = ?2 AND NOT EXISTS (SELECT 1 FROM "
            "grade g WHERE g.assignment = ?1 AND g.student = h.student AND g.hash = ?2 AND g.version = ?3 "
            "AND g.wording = ?4)",
            *(key.chapter, digest, stamp(key).version, stamp(key).wording),
        )

    def record(self, key: Key, results: Iterable[tuple[str, dict[str, Any]]], limits: str) -> None:
        """Keep what workers found of contents: what ran, and a grade for everyone who handed it in."""
        code = stamp(key).runs
        with self.transaction():
            for digest, result in results:
                self.db.executemany(
                    "INSERT OR REPLACE INTO outcome VALUES (?, ?, ?, ?, ?)",
                    [
                        (digest, question, code[question], limits, json.dumps(outcome))
                        for question, outcome in result.get("outcomes", {}).items()
                    ],
                )
                if "cells" in result:
                    cells = json.dumps(result["cells"])
                    self.db.execute(
                        "INSERT OR REPLACE INTO content VALUES (?, ?, ?)", (key.chapter, digest, cells)
                    )
                self._grade(key, digest, result)

    def _grade(self, key: Key, digest: str, result: dict[str, Any]) -> None:
        grade = result.get("grade")
        report = json.dumps(grade or {"unreadable": result["unreadable"]})
        points = sum(question.points for question in key.questions)
        self.db.execute(
            "INSERT INTO grade SELECT DISTINCT ?1, student, ?2, ?3, ?4, ?5, ?6, ?7, ?8 FROM handed_in "
            "WHERE assignment = ?1 AND hash = ?3 ON CONFLICT DO UPDATE SET wording = excluded.wording, "
            "earned = excluded.earned, report = excluded.report",
            (
                *(key.chapter, stamp(key).version, digest, now(), stamp(key).wording),
                *(grade["earned"] if grade else 0.0, points, report),
            ),
        )

    def decide(self, assignment: str, decisions: Iterable[Decision]) -> None:
        """Note what a teacher decided; of one kind on one question the last one counts, and all are kept."""
        with self.transaction():
            self.db.executemany(
                "INSERT INTO decision (at, assignment, student, question, kind, points, reason, hash) "
                "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    (
                        now(),
                        assignment,
                        d.student,
                        d.question,
                        d.kind,
                        json.dumps(d.points),
                        d.reason,
                        d.digest,
                    )
                    for d in decisions
                ),
            )

    def set_late(self, assignment: str, policy: str | None) -> None:
        """Keep the policy for what is handed in late."""
        with self.transaction():
            self.db.execute("UPDATE assignment SET late = ? WHERE name = ?", (policy, assignment))

    def _prepare(self, create: bool) -> None:
        self.db.row_factory = sqlite3.Row
        self.db.execute("PRAGMA foreign_keys = ON")
        if create and not self.db.execute("SELECT 1 FROM sqlite_master").fetchone():
            with self.transaction():
                for statement in TABLES.split(";")[:-1]:
                    self.db.execute(statement)
                self.db.execute(f"PRAGMA application_id = {APPLICATION}")
                self.db.execute(f"PRAGMA user_version = {SCHEMA}")
        (mark,), (schema,) = (
            self.db.execute(f"PRAGMA {p}").fetchone() for p in ("application_id", "user_version")
        )
        if (mark, schema) != (APPLICATION, SCHEMA):
            raise ValueError(f"{clean(self.path)} is no gradebook of this version; name another file")

    @contextlib.contextmanager
    def _said(self) -> Iterator[None]:
        """Say in a sentence what SQLite or the disk refuses."""
        name = clean(self.path)
        try:
            yield
        except Timeout:
            raise ValueError(f"another command is writing to {name}; wait until it has ended") from None
        except OSError as error:
            raise ValueError(f"{name}: it can't be written there ({clean(error)})") from None
        except sqlite3.Error as error:
            told = {"locked": "another program holds it; close that", "readonly": "it can't be written"}
            told |= {"full": "the disk is full; make room", "not a database": "it is no gradebook"}
            told |= {"unable to open": "it can't be opened or written there"}
            said = next((words for sign, words in told.items() if sign in str(error)), "SQLite refuses")
            raise ValueError(
                f"{name}: {said} ({clean(error)}). What was graded before is kept; give the command again"
            ) from None


def now() -> str:
    """The time as it is noted, for people to read: nothing is decided by it."""
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
