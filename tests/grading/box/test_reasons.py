"""The reason of a stop is the one that holds."""

import pytest

pytestmark = pytest.mark.slow
SILENT = "get_ipython().kernel._publish_status = lambda *_, **__: None"


def test_a_cell_that_ended_is_not_called_slow_when_its_end_was_not_told(ran):
    outcome = ran(SILENT, cell=100.0, grace=2.0)
    assert outcome.records["c0"]["reason"] == "stopped because its output came more than 2 s after its end"


@pytest.mark.parametrize("code", ["while True: pass", "import time; time.sleep(1000)"])
def test_a_cell_that_did_not_end_is(ran, code):
    assert ran(code, cell=2.0).records["c0"]["reason"] == "stopped after 2 s"


def test_the_time_of_the_notebook_is_named_where_it_was_that(ran):
    outcome = ran("import time; time.sleep(1000)", cell=100.0, notebook=2.0)
    assert outcome.records["c0"]["reason"] == "the notebook's 2 s were used up"
