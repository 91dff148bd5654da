"""What arrives from a kernel is bounded before it is parsed; a flood ends the kernel and not the judge."""

import pytest
import zmq
from jupyter_client.session import Session

from gdmcourse.grading.limits import MIB
from gdmcourse.grading.messages import BYTES, FRAMES, MESSAGES, Inbox, take
from gdmcourse.grading.probe import MIME

# What a kernel that knows its key sends without end; each is small to make and costly to hold.
FLOODS = {
    "many frames": "[b'kernel.x'] + [b''] * 2_000_000",
    "large parents": "signed('status', {'execution_state': 'idle'}, more=['x'] * 200_000)",
    "contents that grow": "signed('display_data', {'data': {MIME: [[]] * 300_000}, 'metadata': {}})",
    "many values": "signed('display_data', {'data': {MIME: {'index': 0}}, 'metadata': {}})",
}
FLOOD = """
import zmq
from gdmcourse.grading.probe import MIME
kernel = get_ipython().kernel
asked = kernel.get_parent()["header"]
def signed(kind, content, **more):
    message = kernel.session.msg(kind, content)
    message["parent_header"] = {**asked, **more}
    return kernel.session.serialize(message, ident=b"kernel." + kind.encode())
direct = getattr(kernel.iopub_socket, "io_thread", kernel.iopub_thread).socket
while True:
    direct.send_multipart(MADE)
"""


@pytest.fixture
def pair():
    """Two connected sockets: the judge's, and the one that a kernel could write anything to."""
    with zmq.Context() as context, context.socket(zmq.PAIR) as ours, context.socket(zmq.PAIR) as theirs:
        theirs.setsockopt(zmq.LINGER, 0)
        ours.bind("inproc://channel")
        theirs.connect("inproc://channel")
        yield ours, theirs


@pytest.fixture
def inbox():
    session = Session(key=b"secret")
    box = Inbox(session)
    box.expect("ask")
    return box


def message(kind, content, parent=None, header=None):
    """A message, signed as by a kernel that knows the key."""
    session = Session(key=b"secret")
    made = session.msg(kind, content, parent=None)
    made["parent_header"] = {"msg_id": "ask"} if parent is None else parent
    made["header"] |= header or {}
    return session.serialize(made)


def probe(value=0):
    return message("display_data", {"data": {MIME: value, "image/png": "x" * 100}, "metadata": {"a": 1}})


def receive(inbox, pair, frames):
    pair[1].send_multipart(frames)
    assert inbox.receive("iopub", pair[0])
    return inbox.next("iopub")


def test_an_answer_is_reduced_to_what_is_read(inbox, pair):
    found = receive(inbox, pair, probe(7))
    assert found == {
        "msg_type": "display_data",
        "parent_header": {"msg_id": "ask"},
        "content": {"data": {MIME: 7}, "metadata": {}},
    }


@pytest.mark.parametrize(
    "frames",
    [
        [b""],
        [b"<IDS|MSG>"],
        [b"<IDS|MSG>", b"x", b"{}", b"{}", b"{}", b"{}"],
        [b"<IDS|MSG>", b"", b"[" * 4000, b"{}", b"{}", b"{}"],
        [b"\xff"] * 5,
        [b"x"] * 1000,
    ],
)
def test_what_is_no_message_is_dropped(inbox, pair, frames):
    assert receive(inbox, pair, frames) is None


def test_what_answers_another_request_or_is_too_large_is_dropped_unparsed(inbox, pair, monkeypatch):
    monkeypatch.setattr(Session, "deserialize", lambda *_, **__: pytest.fail("it was parsed"))
    idle = {"execution_state": "idle"}
    assert receive(inbox, pair, message("status", idle, parent={"msg_id": "other"})) is None
    assert receive(inbox, pair, message("status", idle, parent={"msg_id": "ask", "x": "y" * 5000})) is None
    assert receive(inbox, pair, message("status", idle, header={"x": "y" * 5000})) is None
    assert receive(inbox, pair, message("status", {**idle, "x": "y" * MIB})) is None
    assert receive(inbox, pair, message("stream", {"text": "x"})) is None
    assert not inbox.flooded


def test_an_end_is_told_once(inbox, pair):
    assert receive(inbox, pair, message("status", {"execution_state": "idle"})) is not None
    assert receive(inbox, pair, message("status", {"execution_state": "idle"})) is None


def test_pictures_do_not_count_and_values_do(inbox, pair):
    picture = message("display_data", {"data": {"image/png": "x" * (MIB // 2)}, "metadata": {}})
    for _ in range(2 * BYTES // (MIB // 2)):
        assert receive(inbox, pair, picture) is None
    assert not inbox.flooded
    for _ in range(MESSAGES):
        assert receive(inbox, pair, probe()) is not None
    assert not inbox.flooded
    receive(inbox, pair, probe())
    assert inbox.flooded
    inbox.expect("ask")
    assert not inbox.flooded


def test_bytes_of_values_have_a_bound_of_their_own(inbox, pair):
    for _ in range(BYTES // (MIB // 2)):
        assert not inbox.flooded
        receive(inbox, pair, probe("x" * (MIB // 2)))
    assert inbox.flooded


def test_of_too_many_frames_none_is_kept(pair):
    pair[1].send_multipart([b"x"] * 10_000)
    assert take(pair[0]) == []
    pair[1].send_multipart([b"x"] * FRAMES)
    assert len(take(pair[0])) == FRAMES
    assert take(pair[0]) is None


@pytest.mark.slow
@pytest.mark.usefixtures("boxed")
@pytest.mark.parametrize("name", FLOODS)
def test_a_flood_ends_the_cell_or_its_kernel_and_never_the_judge(ran, name):
    outcome = ran("raise ValueError('before')", FLOOD.replace("MADE", FLOODS[name]), cell=4.0, notebook=60.0)
    assert outcome.records["c0"]["reason"] == "ValueError: before"
    assert outcome.records["c1"]["end"] in ("gone", "timeout")
    assert "judge" not in str(outcome.gone)
