"""Values are compared by type, shape and number, and whatever arrives is only data."""

import json
import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from gdmcourse.grading.plugin import by_index
from gdmcourse.grading.probe import MOST, encode
from gdmcourse.grading.values import compare, difference, leaves

NUMBERS = st.one_of(st.floats(), st.integers(), st.booleans())
VALUES = st.recursive(
    NUMBERS | st.text(max_size=5) | st.none(), lambda inner: st.lists(inner, max_size=4), max_leaves=9
)


@given(VALUES)
def test_what_is_emitted_equals_itself_after_its_journey(value):
    arrived = json.loads(json.dumps(encode(value)))
    assert all(compare(encode(value), arrived, 1e-6, 1e-9))
    assert difference(encode(value), arrived, 1e-6, 1e-9) is None


@given(VALUES, VALUES)
def test_comparing_anything_with_anything_gives_one_flag_per_leaf(expected, got):
    assert len(compare(encode(expected), encode(got), 1e-6, 1e-9)) == leaves(encode(expected))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["type", "shape", "values", "items", "keys", "text", "name"]), inner
        )
    ),
    max_leaves=12,
)


@given(JSON)
def test_no_forged_data_break_the_judge_or_are_right(forged):
    for expected in (1.5, [1.5, 2.5], torch.tensor([1.5, 2.5]), {"a": 1.5}):
        flags = compare(encode(expected), forged, 1e-4, 1e-6)
        assert not all(flags)
        assert difference(encode(expected), forged, 1e-4, 1e-6)


@pytest.mark.parametrize(
    ("expected", "got", "right"),
    [
        (1.0, 1.00005, True),
        (1.0, 1.0002, False),
        (0.0, 5e-7, True),
        (1.0, 1, True),
        (1, 1.0, False),
        (1, True, False),
        (1.0, True, False),
        (True, 1, False),
        (1.0, "1.0", False),
        (1.0, math.nan, False),
        (math.nan, math.nan, True),
        (math.nan, 1.0, False),
        (math.inf, math.inf, True),
        (math.inf, -math.inf, False),
        (math.inf, 1e308, False),
        (1.0, 10**400, False),
        (torch.tensor(1.0), 1.0, True),
        (torch.tensor([1.0]), 1.0, False),
        (torch.tensor([1.0]), [1.0], False),
        (torch.tensor([1.0], dtype=torch.float32), torch.tensor([1.0], dtype=torch.float64), True),
        (torch.tensor([[1.0, 2.0]]), torch.tensor([1.0, 2.0]), False),
        (torch.tensor([1, 2]), torch.tensor([1, 2]), True),
        (np.array([1.0]), torch.tensor([1.0]), True),
        ((1.0, 2.0), [1.0, 2.0], True),
        ([1.0, 2.0], [1.0], False),
        ("a", "a", True),
        ("a", "b", False),
        (None, None, True),
        (None, 0, False),
        ({"a": 1.0, "b": 2.0}, {"b": 2.0, "a": 1.0}, True),
        ({"a": 1.0}, {"b": 1.0}, False),
        ([], [], True),
        ([], [1.0], False),
        (torch.zeros(0), torch.zeros(0), True),
    ],
)
def test_cases(expected, got, right):
    assert all(compare(encode(expected), encode(got), 1e-4, 1e-6)) is right


def test_the_share_of_right_values_counts_numbers():
    expected, got = torch.tensor([1.0, 2.0, 3.0, 4.0]), torch.tensor([1.0, 2.0, 0.0, math.nan])
    assert compare(encode(expected), encode(got), 1e-4, 1e-6) == [True, True, False, False]
    found = difference(encode(expected), encode(got), 1e-4, 1e-6)
    assert (found.words, found.entry) == ("it should be 3, and is 0", "[2]")


def words(expected, got):
    return difference(encode(expected), encode(got), 1e-4, 1e-6).words


def test_the_place_of_a_number_is_written_as_one_indexes_it():
    expected = torch.zeros(2, 3)
    got = expected.clone()
    got[1, 2] = 7
    assert difference(encode(expected), encode(got), 1e-4, 1e-6).entry == "[1, 2]"
    found = difference(encode([1.0, [expected]]), encode([1.0, [got]]), 1e-4, 1e-6)
    assert (found.items, found.entry) == ((1, 0), "[1, 2]")


def test_what_should_have_been_refused_says_so():
    assert words("refused", 0.5) == "it should have been refused with a ValueError, and is 0.5"
    assert words(0.5, "refused") == "it should be 0.5, and was refused with a ValueError"
    assert words("a", "b") == "it should be 'a', and is 'b'"


@pytest.mark.parametrize(
    ("expected", "got", "said"),
    [
        (-5.6e-17, 0.5, "it should be 0, and is 0.5"),
        (0.5, -5.6e-17, "it should be 0.5, and is 0"),
        ([1.0, -5.6e-17], [1.0, 0.5], "it should be 0, and is 0.5"),
        (-5.6e-17, "refused", "it should be 0, and was refused with a ValueError"),
        ("refused", -5.6e-17, "it should have been refused with a ValueError, and is 0"),
        (2e-6, 0.5, "it should be 2e-06, and is 0.5"),
        (9e-7, -9e-7, "it should be 9e-07, and is -9e-07"),  # "0, and is 0" would say nothing
    ],
)
def test_what_is_0_to_the_tolerance_is_told_as_0(expected, got, said):
    assert words(expected, got) == said


def test_an_answer_of_another_shape_is_described():
    assert words(torch.zeros(3), torch.zeros(3, 1)) == (
        "it should be floats of shape (3,), and is floats of shape (3, 1)"
    )


def test_a_value_that_cant_be_compared_says_what_it_is():
    class AlwaysEqual:
        def __eq__(self, other):
            return True

        __hash__ = None

    assert words(1.0, AlwaysEqual()) == "it should be a single float, and is a AlwaysEqual"
    assert encode(torch.tensor([1j]))["type"] == "unsupported"
    assert encode(torch.zeros(MOST + 1))["values"] is None


def test_of_two_values_for_one_place_none_counts():
    one = {"token": "t", "index": 0, "value": 1}
    assert by_index([one], 2) == [1, None]
    assert by_index([one, {**one, "value": 2}], 1) == [None]
    assert by_index([{**one, "index": True}, {**one, "index": -1}], 1) == [None]
