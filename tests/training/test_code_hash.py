"""The name of a result: what changes it, and what leaves it alone."""

import importlib
import sys

import pytest

from gdmcourse.training.code_hash import result_hash

PART = '''
"""A module."""
from gdmcourse.fakeroom import helper
from gdmcourse.fakeroom import tables


class Base:
    """What models share."""

    def train(self):
        return self.step()

    def step(self):
        return helper(self.lr)


class Model(Base):
    """A model."""

    size = 3
    name: str = "model"

    def step(self):
        return super().step() + tables.STEP * self.size

    def sample(self):
        from gdmcourse.fakeroom.drawing import draw

        return draw(self, self.scale)


def loss(x):
    return shared(x)


def shared(x):
    return x
'''
DEEP = "from gdmcourse.fakeroom.deeper import DEPTH\n\n\ndef helper(lr):\n    return lr + DEPTH\n"
FILES = {
    "__init__": "from gdmcourse.fakeroom.deep import helper\n",
    "part": PART,
    "deep": DEEP,
    "deeper": "DEPTH = 1\n",
    "tables": "STEP = 1\nOTHER = 2\n",
    "drawing": "def draw(m, scale): ...\n",
}
SETTINGS = {"lr": 1, "scale": 2}


@pytest.fixture
def room(tmp_path, monkeypatch):
    """A function that writes a room of modules and returns the hash of its model and its loss."""
    import gdmcourse

    folder = tmp_path / "fakeroom"
    folder.mkdir()
    monkeypatch.setattr(gdmcourse, "__path__", [*gdmcourse.__path__, str(tmp_path)])

    def forget():
        for name in [name for name in sys.modules if name.startswith("gdmcourse.fakeroom")]:
            del sys.modules[name]

    def write(settings=SETTINGS, *, stop=(), **changes):
        for number, (name, text) in enumerate((FILES | changes).items()):
            (folder / f"{name}.py").write_text(text)
            stamp = 10**18 + 10**9 * (write.calls * len(FILES) + number)  # a time of its own for each version
            import os

            os.utime(folder / f"{name}.py", ns=(stamp, stamp))
        write.calls += 1
        forget()
        sys.path_importer_cache.pop(str(folder), None)
        importlib.invalidate_caches()
        module = importlib.import_module("gdmcourse.fakeroom.part")
        return result_hash(settings, module.Model, module.loss, methods=("train",), stop=stop)

    write.calls = 0
    yield write
    forget()


@pytest.mark.parametrize(
    "change",
    [
        {"settings": SETTINGS | {"lr": 2}},
        {"part": PART.replace("size = 3", "size = 4")},
        {"part": PART.replace("return x", "return 2 * x")},
        {"part": PART.replace("return helper(self.lr)", "return helper(self.lr) + 1")},
        {"part": PART.replace("return self.step()", "return self.step(), self.scale")},
        {"deep": DEEP.replace("lr +", "lr -")},
        {"deeper": "DEPTH = 2\n"},
        {"tables": "STEP = 2\nOTHER = 2\n"},
    ],
    ids=[
        "a setting that training reads",
        "an attribute of the class",
        "a function that a part calls",
        "a method that another replaces and calls",
        "training reads one setting more",
        "a function that a package hands on",
        "a constant of a module further down",
        "a constant of a module that is imported whole",
    ],
)
def test_the_name_changes_with_what_decides_the_result(room, change):
    assert room(**change) != room()


@pytest.mark.parametrize(
    "change",
    [
        {"settings": SETTINGS | {"scale": 3}},
        {"settings": SETTINGS | {"more": 1}, "part": PART.replace('"model"', '"model"\n    more: int = 1')},
        {"part": PART.replace("A model.", "A better word for it.")},
        {"part": PART.replace("size = 3", "size = 3  # why three")},
        {"part": PART.replace("return draw(self, self.scale)", "return draw(self, 2 * self.scale)")},
        {"part": PART.replace("    def sample", "    def score(self):\n        return 1\n\n    def sample")},
        {"drawing": "def draw(m, scale): return 1\n"},
        {"deep": DEEP.replace("(lr)", "(lr: int) -> int")},
        {"part": PART + "\n\ndef not_a_part():\n    return 5\n"},
        {"tables": "STEP = 1\nOTHER = 3\n"},
        {"__init__": FILES["__init__"] + "from gdmcourse.fakeroom.drawing import draw\n"},
    ],
    ids=[
        "a setting that only drawing reads",
        "a field more, with a default",
        "docstring",
        "comment",
        "a method that draws",
        "a method more, that scores",
        "what drawing imports",
        "annotation",
        "another function",
        "a neighbour's constant",
        "a package hands on one name more",
    ],
)
def test_the_name_stays_when_the_result_cannot_change(room, change):
    assert room(**change) == room()


def test_nothing_is_followed_into_a_catalogue(room):
    stop = ("gdmcourse.fakeroom.tables",)
    assert room(stop=stop, tables="STEP = 2\n") == room(stop=stop)
    assert len(room()) == 16
