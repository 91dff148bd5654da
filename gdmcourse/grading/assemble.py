"""Fresh notebooks from the key and a submission: our setup and probes, the student's answers and helpers."""

from collections.abc import Iterable

from gdmcourse.grading.key import Key, KeyQuestion, plain_cell, probe_cell
from gdmcourse.grading.names import defined_names, imports_of, read_names
from gdmcourse.grading.notebook import Cell, Notebook, notebook
from gdmcourse.grading.submission import Piece, Submission


def together(key: Key, submission: Submission, token: str) -> Notebook:
    """All questions in one kernel, in the student's order; each answer is followed by its probes."""
    questions = {question.id: question for question in key.questions}
    cells = _setup(key)
    for piece in submission.pieces:
        cells.append(_cell(piece))
        if piece.question is not None:
            cells += _probes(questions[piece.question], token)
    return notebook(cells)


def alone(
    key: Key, submission: Submission, question: str, token: str, without: Iterable[str] = ()
) -> Notebook:
    """One question in a fresh kernel: helpers, the answers that it builds on, itself, its probes at the end.

    Where a helper stands below an answer, the answers run once more before the probes, so that a helper that
    they need, or one that overwrote a name of theirs, doesn't matter. Cells named in ``without`` stay out. Of
    an answer that isn't needed only the imports run, as students put them where they first want them.
    """
    wanted = next(q for q in key.questions if q.id == question)
    pieces = [piece for piece in needed(submission, question) if piece.name not in set(without)]
    cells = _setup(key)
    for piece in submission.pieces:
        if piece in pieces:
            cells.append(_cell(piece))
        elif piece.question is not None and (imports := imports_of(piece.source)):
            cells.append(plain_cell(f"{piece.name}-imports", imports, "helper"))
    answers = [piece for piece in pieces if piece.question is not None]
    if answers and any(piece.question is None for piece in pieces[pieces.index(answers[0]) :]):
        cells += [plain_cell(f"{piece.name}-again", piece.source, "answer") for piece in answers]
    return notebook(cells + _probes(wanted, token))


def needed(submission: Submission, question: str) -> list[Piece]:
    """The helpers, the question's answer, and the answers whose names it reads, in the student's order."""
    answers = {piece.question: piece for piece in submission.pieces if piece.question is not None}
    chosen = [piece for piece in submission.pieces if piece.question in (None, question)]
    names = {name for piece in chosen if piece.question for name in read_names(piece.source)}
    while True:
        more = [
            piece
            for piece in answers.values()
            if piece not in chosen and not names.isdisjoint(defined_names(piece.source))
        ]
        if not more:
            return [piece for piece in submission.pieces if piece in chosen]
        chosen += more
        names |= {name for piece in more for name in read_names(piece.source)}


def _setup(key: Key) -> list[Cell]:
    return [plain_cell(f"setup-{number}", source, "setup") for number, source in enumerate(key.setup)]


def _cell(piece: Piece) -> Cell:
    return plain_cell(piece.name, piece.source, "answer" if piece.question else "helper")


def _probes(question: KeyQuestion, token: str) -> list[Cell]:
    ordered = sorted(question.probes, key=lambda probe: probe.hidden)  # what is seen last can't be told
    return [probe_cell(p.id, p.source, f"{token}-{p.id}", p.expected) for p in ordered]
