"""The tables of a gradebook.

``handed_in`` has a row for each file of each intake, ``outcome`` what a run of a content gave by what decided
the run, and ``grade`` one row for each student, version of the assignment and content.
"""

from dataclasses import dataclass

APPLICATION, SCHEMA = 0x67646D63, 1
TABLES = """
CREATE TABLE assignment (
    name TEXT PRIMARY KEY, version TEXT NOT NULL, wording TEXT NOT NULL, key TEXT NOT NULL, late TEXT);
CREATE TABLE intake (id INTEGER PRIMARY KEY, at TEXT NOT NULL, assignment TEXT NOT NULL);
CREATE TABLE handed_in (
    id INTEGER PRIMARY KEY, intake INTEGER NOT NULL REFERENCES intake, assignment TEXT NOT NULL,
    student TEXT NOT NULL, name TEXT NOT NULL, file TEXT NOT NULL, at REAL, hash TEXT, problem TEXT);
CREATE INDEX by_student ON handed_in (assignment, student);
CREATE INDEX by_hash ON handed_in (assignment, hash);
CREATE TABLE outcome (
    hash TEXT NOT NULL, question TEXT NOT NULL, runs TEXT NOT NULL, limits TEXT NOT NULL,
    outcome TEXT NOT NULL,
    PRIMARY KEY (hash, question, runs));
CREATE TABLE content (assignment TEXT NOT NULL, hash TEXT NOT NULL, cells TEXT NOT NULL,
    PRIMARY KEY (assignment, hash));
CREATE TABLE grade (
    assignment TEXT NOT NULL, student TEXT NOT NULL, version TEXT NOT NULL, hash TEXT NOT NULL,
    at TEXT NOT NULL, wording TEXT NOT NULL, earned REAL NOT NULL, points REAL NOT NULL, report TEXT NOT NULL,
    PRIMARY KEY (assignment, student, version, hash));
CREATE TABLE decision (
    id INTEGER PRIMARY KEY, at TEXT NOT NULL, assignment TEXT NOT NULL, student TEXT NOT NULL,
    question TEXT NOT NULL, kind TEXT NOT NULL, points TEXT, reason TEXT NOT NULL, hash TEXT);
"""


@dataclass(frozen=True)
class Decision:
    """What a teacher decided on a student's question (or all, where it is empty), and for which file.

    ``kind`` is mark, with the points of a rubric's lines, or override; None takes the last one back.
    """

    student: str
    kind: str
    points: float | list[float] | None
    question: str
    reason: str
    digest: str | None
