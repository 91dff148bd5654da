"""Answers that are nearly the same: code without names, comments and layout, compared by rare runs of tokens.

What many have in common (the given code, the obvious solution) counts little; a run of tokens that only two
share counts most. The list is a reason to look, and never a verdict.
"""

import io
import json
import keyword
import math
import tokenize
from collections import Counter, defaultdict
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import combinations

from gdmcourse.classroom.gradebook import Gradebook
from gdmcourse.classroom.standing import standings
from gdmcourse.grading.clean import clean, code_lines
from gdmcourse.grading.key import Key

RUN = 8  # tokens that follow each other
LONGEST = 5000  # tokens of a file that are compared; the time grows with their square
COMMON, MANY = 0.3, 30  # a run that a greater share of a class has, or more students, tells nothing
LEAST = 0.25  # likeness that is worth a look
SOLID = 20  # rare runs that are thought to differ, so that a few in common are no likeness
SKIPPED = {
    *(tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT),
    *(tokenize.ENCODING, tokenize.ENDMARKER),
}


@dataclass(frozen=True)
class Pair:
    """Two students, how alike their rare runs are (at most 1), and the longest passage of both."""

    students: tuple[str, str]
    likeness: float
    same_file: bool
    passages: tuple[str, str]


@dataclass(frozen=True)
class Text:
    """The code of one file: its lines, and its tokens with the line of each."""

    lines: list[str]
    tokens: list[str]
    places: list[int]

    def runs(self) -> Counter[tuple[str, ...]]:
        """How often each run of tokens occurs."""
        return Counter(tuple(self.tokens[at : at + RUN]) for at in range(len(self.tokens) - RUN + 1))


def duplicates(book: Gradebook, key: Key, most: int = 50) -> list[Pair]:
    """The pairs whose code is nearest, the nearest first; of several who handed in one file, each pair."""
    graded = [standing for standing in standings(book, key) if standing.state == "graded"]
    owners: dict[str, list[str]] = defaultdict(list)
    for standing in graded:
        owners[standing.digest or ""].append(standing.name)
    found = book.rows("SELECT hash, cells FROM content WHERE assignment = ?", key.chapter)
    texts = {row["hash"]: normalised(_answers(row["cells"])) for row in found if row["hash"] in owners}
    pairs = [
        Pair((one, two), 1.0, True, ("", ""))
        for names in owners.values()
        for one, two in combinations(sorted(names), 2)
    ]
    for likeness, one, two in _near(texts)[:most]:
        passages = _passages(texts[one], texts[two])
        pairs += [Pair((a, b), likeness, False, passages) for a in owners[one] for b in owners[two]]
    return sorted(pairs, key=lambda pair: (-pair.likeness, pair.students))[:most]


def lines(found: list[Pair]) -> list[str]:
    """The list for a terminal."""
    said = [] if found else ["no two answers have more in common than the task explains"]
    for pair in found:
        what = "the same file" if pair.same_file else f"likeness {pair.likeness:.2f}"
        said.append(f"{clean(pair.students[0])} and {clean(pair.students[1])}: {what}")
        for name, passage in zip(pair.students, pair.passages, strict=True):
            if passage:
                said += [f"    {clean(name)}", *(f"        | {line}" for line in code_lines(passage)[:12])]
    return said


def normalised(source: str) -> Text:
    """The tokens of code; names are all the same, strings that stand alone and comments are left out."""
    tokens, places = [], []
    try:
        for token in tokenize.generate_tokens(io.StringIO(source).readline):
            if token.type in SKIPPED or (
                token.type == tokenize.STRING and token.string[-3:] in ('"""', "'''")
            ):
                continue
            named = token.type == tokenize.NAME and not keyword.iskeyword(token.string)
            tokens.append("name" if named else token.string)
            places.append(token.start[0] - 1)
            if len(tokens) == LONGEST:
                break
    except (tokenize.TokenError, SyntaxError):
        pass  # what came before it counts
    return Text(source.splitlines(), tokens, places)


def _answers(cells: str) -> str:
    return "\n".join(source for _, source, _ in json.loads(cells))


def _near(texts: dict[str, Text]) -> list[tuple[float, str, str]]:
    """Pairs of files by the weight of what they share, among the runs that are rare in this class."""
    runs = {digest: text.runs() for digest, text in texts.items()}
    having: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for digest, own in runs.items():
        for run in own:
            having[run].append(digest)
    most = max(2, min(MANY, int(COMMON * len(texts))))
    weight = {run: math.log(len(texts) / len(who)) + 0.1 for run, who in having.items() if len(who) <= most}
    whole = {digest: sum(weight.get(run, 0.0) for run in own) for digest, own in runs.items()}
    shared: dict[tuple[str, str], float] = defaultdict(float)
    for run, heavy in weight.items():
        for one, two in combinations(having[run], 2):
            shared[one, two] += heavy
    solid = SOLID * math.log(len(texts) + 1)
    found = [
        (heavy / (min(whole[one], whole[two]) + solid), one, two) for (one, two), heavy in shared.items()
    ]
    near = [entry for entry in found if entry[0] >= LEAST]
    return sorted(near, key=lambda entry: (-entry[0], entry[1], entry[2]))


def _passages(one: Text, two: Text) -> tuple[str, str]:
    """The longest run of tokens that two have in common, as each of them wrote it."""
    match = SequenceMatcher(None, one.tokens, two.tokens, autojunk=False).find_longest_match()

    def lines(text: Text, start: int) -> str:
        places = text.places[start : start + match.size]
        return "\n".join(text.lines[places[0] : places[-1] + 1]) if places else ""

    return lines(one, match.a), lines(two, match.b)
