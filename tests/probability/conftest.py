import hypothesis
import pytest
import torch

# Quadrature on 40,000 points takes a while on a busy machine: time is no failure, and every run is the same.
hypothesis.settings.register_profile("course", deadline=None, derandomize=True)
hypothesis.settings.load_profile("course")


@pytest.fixture
def generator() -> torch.Generator:
    return torch.Generator().manual_seed(0)
