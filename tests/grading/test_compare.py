"""Credit for a probe is the share of what is right in it, and by chance nothing is."""

import json

import pytest
import torch

from gdmcourse.grading.compare import compare
from gdmcourse.grading.key import KeyProbe, KeyQuestion
from gdmcourse.grading.probe import encode
from gdmcourse.grading.run import Outcome


def share(expected, got):
    probe = KeyProbe("p", "", 1.0, False, [{"value": encode(expected), "rtol": 1e-4, "atol": 1e-6}])
    outcome = Outcome(
        {"p": {"cell": "p", "end": "ok", "values": [json.loads(json.dumps(encode(got)))]}}, None
    )
    question = KeyQuestion("q1", "", None, None, None, ["f"], "", [probe], [], [], 0.0, 0.0)
    (compared,) = compare(question, outcome)
    return compared.share


MASK = torch.ones(4, 4).tril()


@pytest.mark.parametrize(
    ("expected", "got", "right"),
    [
        (MASK.int(), torch.ones(4, 4).int(), 0),
        (MASK.bool(), torch.zeros(4, 4).bool(), 0),
        (MASK.bool(), MASK.bool(), 1),
        ([MASK.int(), 1.5, 2.5, 3], [MASK.int() + 1, 1.5, 2.5, 4], 2 / 19),
        (
            {"path": torch.tensor([0, 0, 1]), "loss": torch.tensor([0.5, 1.5])},
            {"path": None, "loss": None},
            0,
        ),
        ([torch.tensor([0, 1]), torch.tensor([1, 1])], [torch.tensor([1, 1])] * 2, 1 / 2),
        (torch.tensor([1.0, 2.0]), torch.tensor([1.0, 3.0]), 1 / 2),
        ([True, False, 7], [True, True, 7], 2 / 3),
        ([[], "a", None], [[], "b", None], 2 / 3),
    ],
)
def test_a_mask_or_a_path_counts_as_a_whole_and_numbers_by_themselves(expected, got, right):
    assert share(expected, got) == pytest.approx(right)


def test_a_number_of_a_class_of_ones_own_is_that_number():
    class Mine(float):
        pass

    assert share(1.5, Mine(1.5)) == 1
