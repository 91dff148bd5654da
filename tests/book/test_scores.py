"""A table of scores: its short form and the table that it stands for."""

import pytest
from gdmbook.scores import as_table


def test_columns_of_numbers_are_filled_from_the_key():
    body = "| model | a: first | b: second |\n| the *one* | x-1 |\n| | y |"
    assert as_table("p", body).splitlines() == [
        "| model | first | second |",
        "| --- | --- | --- |",
        "| the *one* | {glue:text}`p-x-1-a` | {glue:text}`p-x-1-b` |",
        "|  | {glue:text}`p-y-a` | {glue:text}`p-y-b` |",
    ]


def test_a_row_without_its_key_is_named():
    with pytest.raises(ValueError, match="1 entries and then its key, not lonely"):
        as_table("p", "| model | a: first |\n| lonely |")
