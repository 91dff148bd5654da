"""Shared by the training tests."""

import pytest
import torch


@pytest.fixture(autouse=True, scope="session")
def _one_thread() -> None:
    """Networks as small as here gain nothing from a second thread, and lose much where cores are busy."""
    torch.set_num_threads(1)
