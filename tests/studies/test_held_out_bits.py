"""Bits of held-out digits: the baselines against counts done otherwise, and what the record says."""

import collections
import math

import pytest
import torch

from gdmcourse.data import load
from gdmcourse.data.levels import to_levels
from gdmcourse.studies import record
from gdmcourse.studies.held_out_bits import NETWORKS, measure


def test_histograms_are_those_of_a_count_by_hand(tmp_path):
    train, test = (
        to_levels(load("digits", split).images, 17).flatten(1).tolist() for split in ("train", "test")
    )
    counts = [collections.Counter(column) for column in zip(*train, strict=True)]
    total = sum(
        -math.log2((counts[pixel][level] + 1) / (len(train) + 17))
        for image in test
        for pixel, level in enumerate(image)
    )
    (row,) = measure(tmp_path, model="histograms", seed=0, preset="laptop")
    assert row["bits"] == pytest.approx(total / len(test) / 64, abs=1e-9)


def test_knowing_nothing_costs_the_logarithm_of_17(tmp_path):
    (row,) = measure(tmp_path, model="uniform", seed=0, preset="laptop")
    assert row["bits"] == pytest.approx(math.log2(17), abs=1e-6)


@pytest.mark.parametrize("model", ["hmm-digits", "vae-digits", "flow-digits"])
def test_a_network_is_trained_and_its_bits_are_counted(tmp_path, model):
    rows = measure(tmp_path, model=model, seed=1, preset="smoke")
    assert {row["kind"] for row in rows} <= {"exact", "bound", "importance"}
    assert all(0.5 < row["bits"] < 20 for row in rows)
    again = measure(tmp_path, model=model, seed=1, preset="smoke")
    assert again == rows


def mean(model: str, kind: str) -> float:
    rows = [
        row["bits"] for row in record("held_out_bits")["rows"] if (row["model"], row["kind"]) == (model, kind)
    ]
    assert len(rows) >= (1 if model in ("uniform", "histograms") else 5), model
    return torch.tensor(rows).mean().item()


def test_the_autoregressive_models_and_the_flow_beat_the_mixture():
    mixture = mean("mixture", "bound")
    assert mean("pixelcnn-digits", "exact") < mean("made-digits", "exact") < mixture
    assert mean("transformer-digits", "exact") < mixture
    assert mean("flow-digits", "bound") < mixture


def test_more_draws_tighten_a_bound():
    for model in ("vae-digits", "flow-digits"):
        assert mean(model, "importance") < mean(model, "bound")


def test_every_model_is_in_the_record():
    found = {row["model"] for row in record("held_out_bits")["rows"]}
    assert found == {"uniform", "histograms", "mixture", "ddpm-digits", *NETWORKS}
