"""Shared by all tests: where the data sets lie, and how hypothesis searches."""

import os
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest
from jaxtyping import config

# The same examples in every run, and no clock: a busy machine is no failure.
hypothesis.settings.register_profile("course", deadline=None, derandomize=True)
hypothesis.settings.load_profile("course")

BESIDE = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.fixture(scope="session", autouse=True)
def _data_root() -> Iterator[None]:
    """Point GDMCOURSE_DATA at the folder of data sets beside the repository, unless it is set already."""
    if os.environ.get("GDMCOURSE_DATA") or not BESIDE.is_dir():
        yield
        return
    os.environ["GDMCOURSE_DATA"] = str(BESIDE)
    yield
    del os.environ["GDMCOURSE_DATA"]


@pytest.fixture
def data_root() -> Path:
    """The folder of the data sets; where it is absent, the test is skipped and says how to run it."""
    root = os.environ.get("GDMCOURSE_DATA")
    if not root or not Path(root).is_dir():
        pytest.skip("set GDMCOURSE_DATA to a folder with MNIST/raw/*-ubyte and cifar10-images.tar.xz")
    return Path(root)


@pytest.fixture
def unchecked() -> Iterator[None]:
    """As a user runs it: without the suite's checks of shapes and types, which would speak before we do."""
    config.update("jaxtyping_disable", True)
    yield
    config.update("jaxtyping_disable", False)
