"""What a student is told: the difference first, the input by its call, and no reason that may be false."""

import dataclasses

import pytest

from gdmcourse.grading.compare import compare
from gdmcourse.grading.explain import TELLABLE, explain
from gdmcourse.grading.key import KeyWrong, read_key, visible_part
from gdmcourse.grading.match import Match
from gdmcourse.grading.probe import encode
from gdmcourse.grading.report import lines, verdict
from gdmcourse.grading.run import Outcome


@pytest.fixture
def question(course):
    return read_key(course.solutions / "key" / "tiny.json").questions[0]


def told(question, visible, hidden=(0.9, 0.3, 0.0), **records):
    """The explanation of an answer that gives these values, where no record says otherwise."""
    given = {"q1-probe-1": [encode(list(visible))], "q1-probe-2": [encode(list(hidden))]}
    outcome = {name: {"end": "ok", "reason": None, "values": value} for name, value in given.items()}
    for name, record in records.items():
        outcome[name.replace("_", "-")] = record
    ran = Outcome(outcome, None)
    return explain(question, Match("answered", places=("cell-3",)), compare(question, ran), ran)


def test_a_right_answer_is_told_nothing_more(question):
    graded = told(question, (0.5, 1.0))
    assert graded.earned == graded.points
    assert lines(graded) == []


def test_the_difference_comes_first_and_names_the_input(question):
    graded = told(question, (0.5, 0.9))
    assert lines(graded)[0] == "it should be 1, and is 0.9, at signal(1.0)"
    said = "it should be a list of 2, and is a list of 1, at [signal(0.25), signal(1.0)]"
    assert told(question, (0.5,)).failed == [said]


def test_the_next_hint_is_named_where_no_diagnosis_fits(question):
    failing = {"end": "error", "reason": "TypeError: x", "values": None}
    assert told(question, (7.0, 7.0), (7.0, 7.0, 7.0)).help == "open hint 1, a nudge, above your answer"
    assert told(question, (0.5, 7.0)).help == "open hint 2, the formula, above your answer"
    assert told(question, (0.5, 1.0), q1_probe_1=failing).help == "open hint 3, a skeleton, above your answer"
    assert told(question, (0.25, 1.0), (0.81, 0.09, 0.0)).help is None


def test_a_hint_is_for_the_one_answer_that_gives_all_wrong_values(question):
    first = question.wrong[0]
    assert told(question, (0.25, 1.0), (0.81, 0.09, 0.0)).hint == first.hint
    assert told(question, (0.25, 1.0)).hint == first.hint  # it is right elsewhere
    assert told(question, (0.25, 7.0)).hint is None  # one wrong value is nobody's


def test_where_two_known_answers_give_the_same_wrong_value_neither_is_the_reason(question):
    first, second = question.wrong
    twin = KeyWrong("another reason", {**first.values, "q1-probe-2": second.values["q1-probe-2"]})
    ambiguous = dataclasses.replace(question, wrong=[first, twin])
    assert told(ambiguous, (0.25, 1.0)).hint is None
    assert told(ambiguous, (0.25, 1.0), (0.81, 0.09, 0.0)).hint == first.hint
    agreeing = dataclasses.replace(twin, hint=first.hint)
    assert told(dataclasses.replace(question, wrong=[first, agreeing]), (0.25, 1.0)).hint == first.hint


def test_of_two_such_answers_the_one_that_is_right_where_the_student_is_counts(question):
    first = question.wrong[0]
    right = [encode([0.9, 0.3, 0.0])]
    narrow = KeyWrong("wrong there alone", {**first.values, "q1-probe-2": right})
    both = dataclasses.replace(question, wrong=[first, narrow])
    assert told(both, (0.25, 1.0)).hint == "wrong there alone"
    assert told(both, (0.25, 1.0), (0.81, 0.09, 0.0)).hint == first.hint


def test_an_answer_that_changes_its_input_has_a_sentence_of_its_own(question):
    changing = {"end": "ok", "reason": None, "values": [encode([0.25, 1.0])], "changed": ["x0\n"]}
    graded = told(question, (0.25, 1.0), q1_probe_1=changing)
    assert graded.hint.startswith("Your function changes its input x0 in place; compute new values")


def test_an_error_names_the_input_where_it_is_shown_and_its_kind_where_not(question):
    reason = "ValueError: alpha_bar = 0.81 \x1b[31m\n is odd"
    failing = {"end": "error", "reason": reason, "values": [None]}
    shown = told(question, (0.5, 1.0), q1_probe_1=failing)
    assert shown.reasons == ["at [signal(0.25), signal(1.0)]: ValueError: alpha_bar = 0.81 is odd"]
    hidden = told(question, (0.5, 1.0), q1_probe_2=failing)
    assert hidden.reasons == ["a hidden input: ValueError"]
    strange = told(question, (0.5, 1.0), q1_probe_2={**failing, "reason": "ZeroDivisionError: x"})
    assert strange.reasons == ["a hidden input: an exception"]
    assert len(TELLABLE) < 10


def test_a_cell_that_was_stopped_may_have_been_at_any_of_its_inputs(question):
    probe = question.probes[0]
    expected = [{**probe.expected[0], "value": encode(value)} for value in (0.5, 1.0)]
    two = dataclasses.replace(probe, source="probe(signal(0.25))\nprobe(signal(1.0))", expected=expected)
    asked = dataclasses.replace(question, probes=[two, *question.probes[1:]], wrong=[])
    stopped = {"end": "timeout", "reason": "stopped after 20 s", "values": [None, None]}
    said = "at signal(0.25), or after it: stopped after 20 s"
    assert told(asked, (), q1_probe_1=stopped).reasons == [said]
    raised = {"end": "error", "reason": "TypeError: x", "values": [encode(0.5), None]}
    assert told(asked, (), q1_probe_1=raised).reasons == ["at signal(1.0): TypeError: x"]
    alone = told(question, (), q1_probe_1={**stopped, "values": [None]})
    assert alone.reasons == ["at [signal(0.25), signal(1.0)]: stopped after 20 s"]


def test_where_a_definition_might_have_been_hidden_and_wasnt_nothing_of_a_run_is_told(question):
    absent = {"end": "error", "reason": "NameError: name 'signal' is not defined", "values": [None]}
    outcome = Outcome({"q1-probe-1": absent}, None)
    open_ended = Match("answered", names=("signal",))
    graded = explain(question, open_ended, compare(question, outcome), outcome)
    assert graded.reasons == ["not answered yet; its hints are in the notebook"]
    assert (graded.earned, graded.failed, graded.help) == (0, [], None)
    shown = dataclasses.replace(open_ended, places=("cell-3",))
    assert "NameError" in explain(question, shown, compare(question, outcome), outcome).reasons[0]


def test_check_says_that_more_is_tried(question, course):
    visible = visible_part(read_key(course.solutions / "key" / "tiny.json")).questions[0]
    assert verdict(told(visible, (0.5, 1.0))) == (
        "q1. How much signal is left: right on the visible inputs; "
        "more are tried when it is graded, 1 of 1 points"
    )
    assert verdict(told(question, (0.5, 1.0))) == "q1. How much signal is left: right, 3 of 3 points"
