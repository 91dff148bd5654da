"""A visible input is named by the call that was made, not by the cell that makes it."""

import pytest

from gdmcourse.grading.inputs import inputs
from gdmcourse.grading.values import Difference


def found(*items, entry=None):
    return Difference("be 1", "is 2", items, entry)


@pytest.mark.parametrize(
    ("source", "difference", "where"),
    [
        ("probe(f(0.5))", found(), ["at f(0.5)"]),
        ("probe([f(1), f(2)])", found(1), ["at f(2)"]),
        ("probe(f(1))", found(1, entry="[0, 2]"), ["in entry [0, 2] of item 1 of f(1)"]),
        ("mean, v = f(3)\nprobe(mean)\nprobe(v)", found(), ["at mean = f(3)", "at v = f(3)"]),
        ("for k in (0.5, 2):\n    probe(f(k))", found(), ["at f(k) with k = 0.5", "at f(k) with k = 2"]),
        (
            "for part in f(7):\n    probe(part)",
            found(),
            ["at part, number 1 of f(7)", "at part, number 2 of f(7)"],
        ),
        (
            "for a in f(1):\n    probe(a)\nfor b in f(2):\n    probe(b)\nprobe(g(3))",
            found(),
            [
                *(f"at {name}, number {n} of f({k})" for k, name in ((1, "a"), (2, "b")) for n in (1, 2)),
                "at g(3)",
            ],
        ),
        ("x = f(1)\nprobe(x)\nx = f(2)\nprobe(x)", found(), ["at x = f(1)", "at x = f(2)"]),
        ("if True:\n    probe(f(1))", found(), ["at the probe"]),
    ],
)
def test_the_input_is_the_call(source, difference, where):
    assert [given.where(difference) for given in inputs(source, len(where))] == where


def test_a_long_call_is_shortened():
    (given,) = inputs(f"probe(f({'1234567890, ' * 30}))", 1)
    assert len(given.where()) < 100
    assert given.where().startswith("at f(1234567890")
