"""The judge speaks to the sockets that the kernel made, and to nothing that is put in their place."""

import os
import socket
from pathlib import Path

import pytest

from gdmcourse.grading import launch


@pytest.fixture
def kernel(tmp_path, monkeypatch) -> launch.Launched:
    """A kernel outside a box whose process is none at all, with its folder."""
    monkeypatch.setattr(launch, "new_user", lambda: None)
    monkeypatch.setattr(launch, "KERNEL", ["/bin/true"])
    folder = tmp_path / "sockets"
    folder.mkdir()
    started = launch.Launched(folder, [], launch.Limits(), None)
    yield started
    started.stop()


def listen(path: Path) -> socket.socket:
    """A socket at a path that may be longer than an address."""
    server = socket.socket(socket.AF_UNIX)
    inside = os.open(path.parent, os.O_RDONLY)
    server.bind(f"/proc/self/fd/{inside}/{path.name}")
    server.listen()
    os.close(inside)
    return server


def test_a_socket_is_found_once_it_is_there(kernel, tmp_path):
    assert kernel.address("shell_port") is None
    with listen(tmp_path / "sockets" / "k-1"):
        assert kernel.address("shell_port").startswith("ipc:///proc/self/fd/")


@pytest.mark.parametrize("what", ["a link to another socket", "a file", "a folder"])
def test_nothing_else_is_connected_to(kernel, tmp_path, what):
    place = tmp_path / "sockets" / "k-1"
    with listen(tmp_path / "elsewhere"):
        if what == "a file":
            place.touch()
        elif what == "a folder":
            place.mkdir()
        else:
            place.symlink_to(tmp_path / "elsewhere")
        before = len(os.listdir("/proc/self/fd"))
        assert kernel.address("shell_port") is None
        kernel.address("shell_port")
        assert (
            len(os.listdir("/proc/self/fd")) <= before + 1
        )  # the folder stays open, what was refused does not


def test_a_socket_that_is_replaced_later_is_not_followed(kernel, tmp_path):
    place = tmp_path / "sockets" / "k-1"
    with listen(place), listen(tmp_path / "elsewhere") as elsewhere:
        address = kernel.address("shell_port").removeprefix("ipc://")
        place.unlink()
        place.symlink_to(tmp_path / "elsewhere")
        elsewhere.settimeout(0.2)
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(address)
            with pytest.raises(TimeoutError):
                elsewhere.accept()


@pytest.mark.slow
@pytest.mark.usefixtures("boxed")
def test_in_the_box_replacing_them_costs_the_submission_alone(ran, tmp_path):
    outcome = ran(
        "import glob, os\n"
        "for path in glob.glob('/run/*/k-*'):\n"
        "    os.unlink(path); os.symlink('/tmp/other', path)",
        "raise ValueError('still here')",
    )
    assert outcome.records["c1"]["reason"] == "ValueError: still here"
