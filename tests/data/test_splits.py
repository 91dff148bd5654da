"""The fixed split: no random numbers, one fifth of every class, the same everywhere."""

import hashlib

import torch
from hypothesis import given
from hypothesis import strategies as st

from gdmcourse.data import load
from gdmcourse.data.splits import every_fifth

labellings = st.lists(st.integers(0, 4), min_size=1, max_size=200).map(torch.tensor)


@given(labellings)
def test_train_and_test_part_the_images(labels):
    train, test = every_fifth(labels)
    assert torch.cat([train, test]).sort().values.tolist() == list(range(len(labels)))
    assert train.tolist() == sorted(train.tolist())
    assert test.tolist() == sorted(test.tolist())


@given(labellings)
def test_each_class_gives_a_fifth_rounded_down(labels):
    _, test = every_fifth(labels)
    for label in labels.unique():
        assert int((labels[test] == label).sum()) == int((labels == label).sum()) // 5


@given(labellings, labellings)
def test_later_images_do_not_change_the_split_of_earlier_ones(first, more):
    _, alone = every_fifth(first)
    _, longer = every_fifth(torch.cat([first, more]))
    assert longer[longer < len(first)].tolist() == alone.tolist()


def test_the_fifth_of_each_class_in_a_case_done_by_hand():
    labels = torch.tensor([0, 1, 0, 0, 0, 1, 0, 0, 1, 1, 1, 0])
    # The fifth 0 stands at index 6, the fifth 1 at index 10; there is no tenth of either.
    assert every_fifth(labels)[1].tolist() == [6, 10]


def digest(values: torch.Tensor) -> str:
    return hashlib.sha256(values.contiguous().numpy().tobytes()).hexdigest()[:16]


def test_the_split_of_digits_is_pinned_to_the_bit():
    from sklearn.datasets import load_digits

    stored = load_digits()
    train, test = every_fifth(torch.from_numpy(stored.target).long())
    assert (len(train), len(test)) == (1442, 355)
    assert digest(test) == "f169ac7f88a60561"
    assert digest(load("digits", "train").images) == "c12d81e75d322519"
    assert digest(load("digits", "test").images) == "d344b6c0cb571124"
    expected = torch.from_numpy(stored.images).float()[test] / 8 - 1
    assert torch.equal(load("digits", "test").images[:, 0], expected)


def test_digits_keep_their_proportions():
    train, test = load("digits", "train").labels.bincount(), load("digits", "test").labels.bincount()
    share = test / (train + test)
    assert (share > 0.19).all()
    assert (share <= 0.2).all()
