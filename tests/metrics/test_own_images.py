"""A reader's own images, of any number of classes and colours, are scored as the book's are."""

import pytest
import torch

from gdmcourse.data import load
from gdmcourse.metrics import features
from gdmcourse.metrics.features import feature_network
from gdmcourse.metrics.report import score_samples
from tests.data.pictures import make_pictures


@pytest.fixture(
    scope="module", params=[(3, True, 150), (10, False, 50)], ids=["three in colour", "ten in grey"]
)
def pictures(request, tmp_path_factory):
    classes, colour, each = request.param
    return str(make_pictures(tmp_path_factory.mktemp("own"), classes, colour=colour, each=each))


@pytest.fixture(autouse=True)
def few_steps(monkeypatch, tmp_path_factory):
    """Enough to tell stripes apart, in a cache of the test's own."""
    monkeypatch.setenv("GDMCOURSE_CACHE", str(tmp_path_factory.getbasetemp() / "cache"))
    monkeypatch.setattr(features, "OWN_STEPS", 150)


def test_real_images_of_a_folder_score_better_than_noisy_ones(pictures):
    train = load(pictures, "train", size=16)
    assert len(train.class_counts) == (3 if train.images.shape[1] == 3 else 10)
    real = score_samples(train.images, train.labels, dataset=pictures)
    noise = 0.7 * torch.randn(train.images.shape, generator=torch.Generator().manual_seed(0))
    noisy = score_samples((train.images + noise).clamp(-1, 1), train.labels, dataset=pictures)
    assert real.accuracy > 0.9
    assert real.relative < 1.5 < noisy.relative
    assert feature_network(pictures, 16).classes == len(train.classes)


def test_a_folder_of_one_class_says_why_it_has_no_scores(tmp_path):
    one = make_pictures(tmp_path / "one", 1, colour=False, each=6)
    with pytest.raises(ValueError, match=r"has one class.*a sub-folder for each class"):
        feature_network(str(one), 16)


def test_a_changed_folder_is_another_data_set(tmp_path):
    root = make_pictures(tmp_path / "own", 2, colour=False, each=10)
    before = features._own(str(root), 16).hash()
    make_pictures(tmp_path / "own2", 2, colour=True, each=10)
    (root / "kind00" / "000.png").unlink()
    assert features._own(str(root), 16).hash() != before
