"""The page of slips and the tests that show them: each entry has its test, each marked test its entry."""

import ast
import re
from pathlib import Path

import pytest
import torch

from gdmcourse.probability import gaussian_w2

ROOT = Path(__file__).parents[2]
ENTRY = re.compile(r"^### Slip (\d+): ", re.M)


def entries() -> dict[int, str]:
    """Text of each entry of the page by its number."""
    parts = ENTRY.split((ROOT / "book/back/slips.md").read_text(encoding="utf-8"))
    numbers = [int(number) for number in parts[1::2]]
    assert len(set(numbers)) == len(numbers), "a number stands twice on the page"
    return dict(zip(numbers, parts[2::2], strict=True))


def marked_tests() -> dict[str, set[int]]:
    """`path::name` of each test that is marked with slips, and their numbers."""
    found: dict[str, set[int]] = {}
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef):
                marks = [
                    mark for mark in node.decorator_list if ast.unparse(mark).startswith("pytest.mark.slip(")
                ]
                numbers = {argument.value for mark in marks for argument in mark.args}
                if numbers:
                    found[f"{path.relative_to(ROOT)}::{node.name}"] = numbers
    return found


def test_the_page_and_the_tests_name_the_same_slips():
    shown = set().union(*marked_tests().values())
    assert set(entries()) == shown, f"entry without test, or test without entry: {set(entries()) ^ shown}"


@pytest.mark.parametrize("number", entries())
def test_an_entry_is_whole(number):
    """What is printed, what should be, why, a number from the run, and a test marked with this entry."""
    text = entries()[number]
    for part in ("*As printed*", "*It should be*", "*Why.*", "*How much it matters.*", "{cite:t}`source00"):
        assert part in text, f"slip {number} lacks {part}"
    assert f"{{glue:text}}`slip-{number}" in text, f"slip {number} shows no number that its cell computes"
    named = re.search(r"^\*Test:\* `(.+)`$", text, re.M)
    assert named, f"slip {number} names no test"
    assert number in marked_tests().get(named[1], set()), (
        f"{named[1]} isn't there or isn't marked slip({number})"
    )


@pytest.mark.slip(21)
@pytest.mark.equation("eq-gaussian-w2")
@pytest.mark.parametrize(("mean", "other", "std"), [(1.0, 3.0, 1.0), (0.5, -2.0, 0.3), (0.0, 0.0, 2.0)])
def test_the_printed_frechet_distance_can_be_negative(mean, other, std):
    """Source 002 (10) squares one mean, not the difference; the distance itself by matching quantiles."""
    u = (torch.arange(200_000, dtype=torch.float64) + 0.5) / 200_000
    quantile = torch.special.ndtri(u)
    transport = float((mean + quantile - other - std * quantile).square().mean())
    spread = 1 + std**2 - 2 * std
    assert (mean - other) ** 2 + spread == pytest.approx(transport, abs=1e-3)
    means, variances = torch.tensor([[mean], [other]]).double(), torch.tensor([1.0, std**2]).double()
    ours = gaussian_w2(means[0], variances[0].view(1, 1), means[1], variances[1].view(1, 1))
    assert ours.item() ** 2 == pytest.approx(transport, abs=1e-3)
    printed = mean - other**2 + spread
    assert printed < 0 or (mean, other) == (0, 0)  # only means of zero hide the slip
