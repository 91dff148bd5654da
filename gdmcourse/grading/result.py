"""What a grading gives, as plain data: every field goes into JSON as it is."""

from dataclasses import dataclass, field

UNSHOWN = "it is wrong at an input that isn't shown"


@dataclass(frozen=True)
class Marked:
    """A line of a rubric that a teacher marks."""

    points: float
    text: str


@dataclass(frozen=True)
class QuestionGrade:
    """How one question was graded; ``reasons`` and ``failed`` are sentences for the student.

    ``hidden_points`` and ``marked_points`` are not among ``points``: hidden probes and the teacher give them.
    """

    id: str
    title: str
    points: float
    earned: float
    hidden_points: float = 0.0
    marked_points: float = 0.0
    reasons: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    hint: str | None = None
    help: str | None = None
    note: str | None = None
    teaches: str | None = None
    page: str | None = None
    number: str | None = None
    rubric: list[Marked] = field(default_factory=list)
    written: str | None = None


@dataclass(frozen=True)
class Grade:
    """How a submission was graded. ``sandbox`` says what kept its code in: None is nothing but limits.

    ``page`` is the chapter's page without its ending; ``sandbox_missing`` says why there was no sandbox.
    """

    notebook: str
    chapter: str
    title: str
    page: str
    earned: float
    points: float
    hidden_points: float
    marked_points: float
    sandbox: str | None
    sandbox_missing: str | None
    questions: list[QuestionGrade]
