"""Stacked digits: three digits of one split, read as a number, the same on every machine."""

import torch

from gdmcourse.data import CATALOG, load
from gdmcourse.data.stacked import SIZES


def test_the_catalog_tells_the_truth():
    entry = CATALOG["stacked"]
    assert (entry.train, entry.test) == (SIZES["train"], SIZES["test"])
    for split, size in SIZES.items():
        stacked = load("stacked", split)
        assert stacked.images.shape == (size, *entry.shape)
        assert stacked.images.aminmax() == (-1, 1)
        assert len(stacked.classes) == entry.classes
        assert int(stacked.labels.max()) < entry.classes


def test_each_channel_is_a_digit_of_the_split_and_the_label_is_read_from_left_to_right():
    digits, stacked = load("digits", "test"), load("stacked", "test")
    known = {
        image.numpy().tobytes(): int(label) for image, label in zip(digits.images, digits.labels, strict=True)
    }
    for image, label in zip(stacked.images[:200], stacked.labels[:200], strict=True):
        read = [known[channel.numpy().tobytes()] for channel in image]
        assert stacked.classes[label] == "".join(map(str, read))


def test_every_mode_is_there_about_equally_often():
    counts = torch.bincount(load("stacked").labels, minlength=1000)
    assert counts.min() > 0
    # A law that is uniform has a chi-square near its 999 degrees of freedom, ± 45; the digits nearly are.
    chi = ((counts - 25.6) ** 2 / 25.6).sum()
    assert 850 < chi < 1250


def test_the_first_triples_are_those_of_the_generator_by_hand():
    """Knuth's multiplier and increment, modulo 2⁶⁴, upper half, modulo the size of the split."""
    state, wanted = 1, []
    digits = load("digits", "test")
    for _ in range(6):
        state = (state * 6364136223846793005 + 1442695040888963407) & (2**64 - 1)
        wanted.append(int(digits.labels[(state >> 32) % 355]))
    found = [f"{label:03d}" for label in load("stacked", "test").labels[:2].tolist()]
    assert "".join(found) == "".join(map(str, wanted))
