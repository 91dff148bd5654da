"""Numbers for the prose: how they are named, how they are written, and what a test can read of them."""

from dataclasses import dataclass

import pytest
import torch

from gdmcourse import prose
from gdmcourse.prose import numbers, written


@dataclass(frozen=True)
class Scores:
    distance: float
    classes: int


@pytest.fixture
def kept(monkeypatch):
    """What `numbers` keeps: the text and the value of each name."""
    found = {}

    def display(data, *, raw, metadata):
        assert raw
        found[metadata["scrapbook"]["name"]] = (next(iter(data.values())), metadata["value"])

    monkeypatch.setattr(prose, "display", display)
    return found


@pytest.mark.parametrize(
    ("value", "form", "text"),
    [
        (0.123456, ".3g", "0.123"),
        (-0.5, ".1f", "−0.5"),
        (0.05, ".0e", "5·10⁻²"),
        (-2.5e12, ".1e", "−2.5·10¹²"),
        (0.62, ".0%", "62\u00a0%"),
        (7, ".2f", "7"),
        ("2026-11-27", ".3g", "2026-11-27"),
        ("AMD e5-2", ".3g", "AMD e5-2"),
        ("0.93 ± 0.05", ".3g", "0.93 ± 0.05"),
    ],
)
def test_a_number_is_written_as_prose_has_it(value, form, text):
    assert written(value, form) == text


def test_parts_are_named_by_keys_fields_and_places(kept):
    numbers("a", ".1f", told={("free", 1.0): Scores(0.25, 10)}, pair=[1.0, 2.0], one=torch.tensor(0.5))
    assert kept == {
        "a-told-free-1-distance": ("'0.2'", 0.25),
        "a-told-free-1-classes": ("'10'", 10),
        "a-pair-0": ("'1.0'", 1.0),
        "a-pair-1": ("'2.0'", 2.0),
        "a-one": ("'0.5'", 0.5),
    }


def test_a_value_that_is_no_number_is_refused():
    with pytest.raises(ValueError, match="one number"):
        numbers("a", many=torch.ones(3))
