"""Training once a machine: a folder is filled once, whoever asks."""

import threading
import time

import pytest
import torch
from torch import nn

from gdmcourse.training import fit, load_checkpoint, make_fabric
from gdmcourse.training.cached_training import train_once, use_threads


def tiny(folder, steps=4):
    torch.manual_seed(0)
    data = torch.randn(8, 3)
    return fit(
        nn.Linear(3, 1),
        lambda model, batch, generator: model(batch).square().mean(),
        data,
        steps=steps,
        batch_size=4,
        checkpoint=folder,
        fabric=make_fabric(devices=1, nodes=1, accelerator="cpu"),
    )


def test_a_folder_is_filled_once(tmp_path):
    calls = []

    def train(folder):
        calls.append(folder)
        tiny(folder)

    for _ in range(2):
        assert train_once(tmp_path / "a" / "run", 4, train).step == 4
    assert calls == [tmp_path / "a" / "run"]


def test_one_that_asks_meanwhile_waits(tmp_path):
    calls = []

    def train(folder):
        calls.append(1)
        time.sleep(0.3)
        tiny(folder)

    def ask():
        train_once(tmp_path / "run", 4, train)

    threads = [threading.Thread(target=ask) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert calls == [1]


def test_an_interrupted_training_goes_on(tmp_path):
    tiny(tmp_path / "run", steps=2)
    seen = []

    def train(folder):
        seen.append(load_checkpoint(folder).step)
        tiny(folder)

    assert train_once(tmp_path / "run", 4, train).step == 4
    assert seen == [2]


def test_a_damaged_checkpoint_is_thrown_away(tmp_path):
    tiny(tmp_path / "run")
    next((tmp_path / "run").glob("step-*/model.safetensors")).write_bytes(b"broken")
    assert train_once(tmp_path / "run", 4, tiny).step == 4


def test_a_training_that_leaves_nothing_is_an_error(tmp_path):
    with pytest.raises(RuntimeError, match="without a checkpoint of step 4"):
        train_once(tmp_path / "run", 4, lambda folder: None)


def test_threads_are_given_back():
    before = torch.get_num_threads()
    with use_threads(1):
        assert torch.get_num_threads() == 1
    with use_threads(None):
        assert torch.get_num_threads() == before
    with pytest.raises(KeyError), use_threads(1):
        raise KeyError
    assert torch.get_num_threads() == before
