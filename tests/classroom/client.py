"""Grades a class by a stand-in on a real cluster of two processes; killed by a test and started again.

Called with a gradebook, a folder, a key and a log. Each grading adds its file's hash to the log.
"""

import hashlib
import json
import os
import sys
import time
from pathlib import Path


def stand_in(notebook: bytes, told: str, own: str) -> str:
    """Grade by one glance, after noting that it was done and by which process."""
    digest = hashlib.sha256(notebook).hexdigest()
    line = f"{digest} {os.getpid()}\n".encode()
    log = os.open(os.environ["CLASS_LOG"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(log, line)
    os.close(log)
    limit = int(os.environ.get("CLASS_LIMIT", "0"))
    if limit and Path(os.environ["CLASS_LOG"]).read_bytes().count(b"\n") > limit:
        time.sleep(600)  # until the test kills the client
    order = {**json.loads(told), **json.loads(own)}
    points = float(notebook.decode().rpartition(" ")[2])
    outcome = dict.fromkeys(order["run"])
    question = {"id": "q1", "earned": points}
    return json.dumps(
        {"grade": {"earned": points, "questions": [question]}, "outcomes": outcome, "cells": []}
    )


def main(book: str, folder: str, key: str) -> None:
    """Grade what isn't graded."""
    from gdmcourse.classroom.cluster import Cluster
    from gdmcourse.classroom.grade_class import grade_class
    from gdmcourse.classroom.gradebook import Gradebook
    from gdmcourse.grading.key import read_key

    with Gradebook(Path(book), writes=True, create=True) as opened:
        pool = lambda: Cluster(2, work=stand_in)  # noqa: E731
        taken = grade_class(opened, read_key(Path(key)), [Path(folder)], pool)
    print(json.dumps([taken.to_do, taken.graded, taken.failed]))


if __name__ == "__main__":
    main(*sys.argv[1:])
