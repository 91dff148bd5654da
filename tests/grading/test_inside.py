"""What runs in the student's kernel: which definition counts, and that probes leave nothing behind."""

import base64

import IPython.display
import pytest
import torch

from gdmcourse.grading import inside
from gdmcourse.grading.probe import MIME

ASKED = {"q1": [["f"], ["f"]]}


@pytest.fixture(autouse=True)
def forget():
    inside.KEPT.clear()
    yield
    inside.KEPT.clear()


@pytest.fixture
def published(monkeypatch):
    sent = []
    monkeypatch.setattr(IPython.display, "publish_display_data", lambda data, **_: sent.append(data[MIME]))
    return sent


def test_the_last_definition_that_can_be_called_counts_with_the_names_of_its_time():
    session = {"helper": 1}
    inside.keep(ASKED, session)
    assert inside.KEPT == {}
    session["f"] = lambda: session["helper"]
    inside.keep(ASKED, session)
    session |= {"f": 3, "helper": 2, "later": 4}
    inside.keep(ASKED, session)
    inside.back("q1", session)
    assert (session["f"](), session["later"]) == (1, 4)


def test_a_probe_sees_the_session_and_leaves_nothing_in_it(published):
    session = {"f": lambda x: 2 * x, "x": 5}
    inside.call("x = 3\ndef g(a):\n    return f(a)\nprobe(g(x))", "t", ["f"], session)
    assert session["x"] == 5
    assert "g" not in session
    assert [(sent["token"], sent["value"]["values"]) for sent in published] == [("t", [6])]


def test_an_input_that_was_changed_is_told(published):
    def f(a, b, *, c):
        b.mul_(2)
        return a

    x = torch.ones(2)
    inside.call("probe(f(1, x, c=[1]))", "t", ["f"], {"f": f, "x": x})
    assert [sent["changed"] for sent in published if "changed" in sent] == ["b"]


def test_a_decorated_function_has_the_names_of_its_own_inputs(published):
    @torch.no_grad()
    def f(a, b, *more, c=None):
        b.mul_(2)
        more[0].mul_(2)
        return a

    source = "probe(f(1, torch.ones(2), torch.ones(2), c=torch.ones(2)))"
    inside.call(source, "t", ["f"], {"f": f, "torch": torch})
    assert [sent["changed"] for sent in published if "changed" in sent] == ["b", "more"]


def test_what_is_no_function_is_called_as_it_is(published):
    inside.call("probe(f(1.0))", "t", ["f", "absent"], {"f": float})
    assert len(published) == 1


def test_files_are_put_where_the_notebook_is(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    inside.put({"data.csv": base64.b64encode(b"1,2\n").decode()})
    assert (tmp_path / "data.csv").read_bytes() == b"1,2\n"
