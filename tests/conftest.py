"""Shared by all tests: where the data sets lie, how hypothesis searches, what waits for the night."""

import os
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest
from jaxtyping import config

# The same examples in every run, and no clock: a slow or busy machine is no failure.
hypothesis.settings.register_profile(
    "course", deadline=None, derandomize=True, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("course")


TEXT = ("test_downloads.py", "test_footer.py", "test_links.py", "test_punctuation.py")  # need no browser
# Their tests share what takes ten seconds to make.
TOGETHER = (
    "tests/grading/test_draft.py",
    "tests/grading/test_open.py",
    "tests/recipes/test_points_and_dice.py",
    "tests/test_wheel.py",
    "tests/training/test_torchrun.py",
)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what is `nightly`, unless `-m` speaks of it; several processes begin with what is `slow`."""
    if hasattr(config, "workerinput"):
        items.sort(key=lambda item: item.get_closest_marker("slow") is None)
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
    """What one process does in a row, since it shares a browser, the pages' text, a chapter's key, a fixture.

    Each other test is its own chain. Chains of many tests are begun first, and slow tests before the quick
    ones, so that both cores end within seconds of each other.
    """
    path, _, test = nodeid.partition("::")
    if path.startswith("tests/site/"):
        return "text" if path.rpartition("/")[2] in TEXT else "browser"
    if path == "tests/exercises/test_gates.py":
        return f"{path}{test[test.find('[') :]}"
    return path if path in TOGETHER else nodeid


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
    from gdmcourse.data.roots import cache_for  # not before its types are checked

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
