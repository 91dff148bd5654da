"""Diversity at equal fidelity: what each model recalls at a precision that both reach."""

from collections import defaultdict

import numpy as np

from gdmcourse.studies.study import Rows


def matched_recall(rows: Rows, one: str, other: str) -> list[float]:
    """Recall of `one` less that of `other`, each seed at the largest precision that both reach by cooling.

    A seed whose two curves have no precision in common is left out.
    """
    curves: dict[str, dict[int, tuple[list[float], list[float]]]] = defaultdict(dict)
    for row in rows:
        if row["kind"] == "run" and row["family"] in (one, other) and row["scores"]:
            first = row["scores"][0]
            points = sorted(
                (each["precision"], each["recall"])
                for each in row["scores"]
                if each["share"] == 1
                and each["draw"] == 0
                and (each["sampler"], each["evaluations"]) == (first["sampler"], first["evaluations"])
            )
            if points:
                curves[row["family"]][row["seed"]] = tuple(map(list, zip(*points, strict=True)))  # type: ignore[assignment]
    found = []
    for seed in sorted(curves[one].keys() & curves[other].keys()):
        (mine, my_recall), (theirs, their_recall) = curves[one][seed], curves[other][seed]
        at = min(mine[-1], theirs[-1])
        if at >= max(mine[0], theirs[0]):
            found.append(float(np.interp(at, mine, my_recall) - np.interp(at, theirs, their_recall)))
    return found
