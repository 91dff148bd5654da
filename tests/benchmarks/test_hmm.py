"""The benchmark of hidden Markov models compares what it says it does."""

from benchmarks import hmm


def test_every_row_is_there_and_both_sides_compute_the_same(monkeypatch):
    for name, value in {"SEQUENCES": 3, "STEPS": 5, "REPEATS": 1}.items():
        monkeypatch.setattr(hmm, name, value)
    monkeypatch.setattr(hmm.torch, "set_num_threads", lambda threads: None)
    log, scaled, apart = hmm.rows()
    assert "hmmlearn, log space" in log["name"]
    assert "hmmlearn, scaled" in scaled["name"]
    assert log["target"] == 0.5
    assert 0 <= apart["ratio"] < 1
