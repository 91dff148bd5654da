"""The corpus of sentences, and characters as numbers."""

import pytest
import torch

from gdmcourse.data.sentences import CHARACTERS, decode, encode, sentences, windows


def test_the_splits_share_no_sentence_and_every_character_is_known():
    train, test = (set(sentences(split).splitlines()) for split in ("train", "test"))
    assert not train & test
    assert len(test) * 9 == pytest.approx(len(train), rel=0.01)
    assert set(sentences("train")) == set(CHARACTERS)
    assert len(sentences("train")) > 100_000
    with pytest.raises(ValueError, match="must be 'train' or 'test'"):
        sentences("valid")


def test_characters_become_numbers_and_come_back():
    text = "what is noise?\n"
    assert decode(encode(text)) == text
    assert len(encode(text)) == len(text)
    with pytest.raises(ValueError, match="'W' is none of the characters"):
        encode("What")


def test_windows_are_pieces_of_the_text():
    text = sentences("test")[:50]
    found = windows(text, 8, 3)
    assert found.shape == (15, 8)
    assert [decode(row) for row in found] == [text[3 * i : 3 * i + 8] for i in range(15)]
    assert torch.equal(windows(text, 50, 1)[0], encode(text))
