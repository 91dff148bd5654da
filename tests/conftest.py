"""Shared by all tests: where the data sets lie, how hypothesis searches, what waits for the night."""

import os
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest
from jaxtyping import config

from gdmcourse.data.roots import cache_for

# The same examples in every run, and no clock: a slow or busy machine is no failure.
hypothesis.settings.register_profile(
    "course", deadline=None, derandomize=True, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("course")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what is marked `nightly`, unless `-m` speaks of it."""
    if "nightly" not in config.option.markexpr:
        left_out = [item for item in items if item.get_closest_marker("nightly")]
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> object:
    """Give a free process the next chain of tests: what shares a browser or a key stays together."""
    from xdist.scheduler import LoadScopeScheduling

    class ByChain(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return chain(nodeid)

    return ByChain(config, log)


def chain(nodeid: str) -> str:
    """The tests in the browser are one chain, the gates of a chapter another; each other test is its own."""
    path, _, test = nodeid.partition("::")
    if path.startswith("tests/site/") and path.rpartition("/")[2] not in (
        "test_links.py",
        "test_downloads.py",
    ):
        return "browser"
    return f"{path}{test[test.find('[') :]}" if path == "tests/exercises/test_gates.py" else nodeid


@pytest.fixture(scope="session", autouse=True)
def _lean_processes() -> Iterator[None]:
    """The processes that tests start run `lean/sitecustomize.py`; those of the tests themselves don't."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(Path(__file__).parent / "lean"), prepend=os.pathsep)
        yield


@pytest.fixture
def data_root() -> Path:
    """The folder of the data sets; where it is absent, the test is skipped and says how to run it."""
    root = os.environ.get("GDMCOURSE_DATA")
    if not root or not Path(root).is_dir():
        pytest.skip("set GDMCOURSE_DATA to a folder with MNIST/raw/*-ubyte and cifar10-images.tar.xz")
    return Path(root)


@pytest.fixture
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of the test's own, with only the feature networks that this machine has trained."""
    folder = tmp_path / "cache"
    folder.mkdir()
    (folder / "features").symlink_to(cache_for("features"))
    monkeypatch.setenv("GDMCOURSE_CACHE", str(folder))
    return folder


@pytest.fixture
def unchecked() -> Iterator[None]:
    """As a user runs it: without the suite's checks of shapes and types, which would speak before we do."""
    config.update("jaxtyping_disable", True)
    yield
    config.update("jaxtyping_disable", False)
