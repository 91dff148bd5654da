"""The sweep of the autoencoder's factor, in little."""

from gdmcourse.studies.compression_factor import SIZES, study
from tests.studies.little import in_little


def test_the_factor_sweep_writes_a_row_for_each_size(tmp_path, own_cache):
    record = in_little(study(seeds=1, samples=70, steps=2, preset="smoke"), tmp_path)
    assert (record["seeds"], record["samples"], record["sampling_steps"]) == (1, 70, 2)
    rows = record["rows"]
    assert [(row["factor"], row["channels"]) for row in rows] == [(2**h, c) for h, c in SIZES]
    assert [row["numbers"] for row in rows] == [64, 32, 8, 32]
    costs = [row["multiplications"] for row in rows]
    assert costs[0] > costs[1] > costs[2]
    assert rows[0]["lost_share"] == 0
    assert all(row["lost_share"] > 0 for row in rows[1:])
    assert all(row["frechet"] > row["reference"] > 0 and 0 <= row["recall"] <= 1 for row in rows)
