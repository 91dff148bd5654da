"""Training once a machine: what a name depends on, and that a folder is filled once."""

import sys
import threading
import time

import pytest
import torch
from torch import nn

from gdmcourse.training import fit, load_checkpoint, make_fabric
from gdmcourse.training.once import result_hash, train_once, use_threads

PART = '''
"""A module."""
from gdmcourse.fakeroom.deep import helper


class Model:
    """A model."""

    size = 3

    def train(self):
        return helper(self.size)

    def sample(self):
        from gdmcourse.fakeroom.drawing import draw

        return draw(self)


def loss(x):
    return x
'''
DEEP = "from gdmcourse.fakeroom.deeper import STEP\n\n\ndef helper(size):\n    return size + STEP\n"


@pytest.fixture
def room(tmp_path, monkeypatch):
    """A function that writes a room of modules and returns the hash of its model."""
    import gdmcourse

    folder = tmp_path / "fakeroom"
    folder.mkdir()
    monkeypatch.setattr(gdmcourse, "__path__", [*gdmcourse.__path__, str(tmp_path)])

    def write(
        settings=None, *, part=PART, deep=DEEP, deeper="STEP = 1\n", drawing="def draw(m): ...\n", **options
    ):
        files = {"__init__": "", "part": part, "deep": deep, "deeper": deeper, "drawing": drawing}
        for name, text in files.items():
            (folder / f"{name}.py").write_text(text)
        for name in [name for name in sys.modules if name.startswith("gdmcourse.fakeroom")]:
            del sys.modules[name]
        sys.path_importer_cache.pop(str(folder), None)
        import importlib

        importlib.invalidate_caches()
        module = importlib.import_module("gdmcourse.fakeroom.part")
        return result_hash(settings or {"lr": 1}, module.Model, module.loss, without=("sample",))

    yield write
    for name in [name for name in sys.modules if name.startswith("gdmcourse.fakeroom")]:
        del sys.modules[name]


def test_the_name_changes_with_settings_and_with_code_however_deep(room):
    names = [
        room(),
        room({"lr": 2}),
        room(part=PART.replace("size = 3", "size = 4")),
        room(part=PART.replace("return x", "return 2 * x")),
        room(deep=DEEP.replace("size +", "size -")),
        room(deeper="STEP = 2\n"),
    ]
    assert len(set(names)) == len(names)
    assert all(len(name) == 16 for name in names)


@pytest.mark.parametrize(
    "change",
    [
        {"part": PART.replace("A model.", "A better word for it.")},
        {"part": PART.replace("size = 3", "size = 3  # why three")},
        {"part": PART.replace("return draw(self)", "return draw(self), 1")},
        {"drawing": "def draw(m): return 1\n"},
        {"deep": DEEP.replace("(size)", "(size: int) -> int")},
        {"part": PART + "\n\ndef not_a_part():\n    return 5\n"},
    ],
    ids=[
        "docstring",
        "comment",
        "left out method",
        "imported where it is used",
        "annotation",
        "another function",
    ],
)
def test_the_name_stays_when_the_result_cannot_change(room, change):
    assert room(**change) == room()


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
