"""What is taken off for handing in late. The time is that of the file or of its entry in the zip."""

import dataclasses
import datetime
import json
import math
import time
from dataclasses import dataclass

DAY = 86_400.0


@dataclass(frozen=True)
class Policy:
    """When the work was due (in UTC), percent off for each day begun, at most so many, minutes of grace."""

    due: str
    per_day: float
    most: float = 100.0
    grace: float = 0.0

    def to_text(self) -> str:
        """The policy as the gradebook keeps it."""
        return json.dumps(dataclasses.asdict(self))


@dataclass(frozen=True)
class Late:
    """Percent that are taken off, and the sentence that says why."""

    percent: float
    words: str


def policy(due: str, per_day: float, most: float = 100.0, grace: float = 0.0) -> Policy:
    """A policy; ``due`` is a time such as ``2026-12-01 23:59``, of this machine's zone if it names none."""
    try:
        at = datetime.datetime.fromisoformat(due).astimezone(datetime.UTC)
    except (ValueError, OverflowError):
        raise ValueError(
            f"{due!r} is no time; write one such as 2026-12-01T23:59 or 2026-12-01T23:59+01:00"
        ) from None
    if not (0 <= per_day <= 100 and 0 <= most <= 100 and grace >= 0):
        raise ValueError("percent lie between 0 and 100, and minutes of grace are not negative")
    return Policy(at.isoformat(timespec="seconds"), per_day, most, grace)


def policy_of(text: str | None) -> Policy | None:
    """The policy that the gradebook keeps, or None."""
    return None if text is None else Policy(**json.loads(text))


def late(rule: Policy | None, at: float | None, now: float | None = None) -> Late | None:
    """What is taken off a file of this time, or None; for a time that can't be right nothing is."""
    if rule is None:
        return None
    if at is None:
        return Late(0.0, "no time of handing in is known, so nothing is taken off")
    if at > (time.time() if now is None else now) + DAY:
        return Late(0.0, "the file's time lies in the future, so nothing is taken off")
    beyond = at - datetime.datetime.fromisoformat(rule.due).timestamp()
    if beyond <= 60 * rule.grace:
        return None
    days = math.ceil(beyond / DAY)
    percent = min(rule.most, days * rule.per_day)
    return Late(percent, f"handed in {days} {'day' if days == 1 else 'days'} late: {percent:g} % off")
