"""Inception from a file: no weights, weights that are others, and what comes out of random ones."""

import hashlib
from types import SimpleNamespace

import pytest
import torch
import torchvision.models

from gdmcourse.data.errors import CorruptFileError, MissingDataError
from gdmcourse.metrics.classifier import FeatureNetwork, extract_features
from gdmcourse.metrics.inception import load_inception


def test_absent_weights_are_named_and_not_fetched(tmp_path, monkeypatch):
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    monkeypatch.setattr(torch.hub, "download_url_to_file", lambda *a, **k: pytest.fail("a download"))
    with pytest.raises(MissingDataError, match=r"not in .*checkpoints.*pth\. Run .* or score with the class"):
        load_inception()


def test_another_file_is_refused(tmp_path):
    (tmp_path / "weights.pth").write_bytes(b"something else")
    with pytest.raises(CorruptFileError, match=r"weights\.pth is damaged or another file: delete it"):
        load_inception(tmp_path / "weights.pth")


def test_random_weights_from_a_file_give_2048_features_of_a_grey_image(tmp_path, monkeypatch):
    torch.manual_seed(0)
    made = torchvision.models.inception_v3(weights=None, init_weights=False, transform_input=False).eval()
    torch.save(made.state_dict(), tmp_path / "weights.pth")
    digest = hashlib.sha256((tmp_path / "weights.pth").read_bytes()).hexdigest()
    published = SimpleNamespace(IMAGENET1K_V1=SimpleNamespace(url=f"/inception-{digest[:8]}.pth"))
    monkeypatch.setattr(torchvision.models, "Inception_V3_Weights", published)
    network = load_inception(tmp_path / "weights.pth")
    assert isinstance(network, FeatureNetwork)
    assert not network.training
    image = torch.rand(1, 1, 8, 8) * 2 - 1
    features = extract_features(network, image)
    assert features.shape == (1, 2048)
    large = torch.nn.functional.interpolate(
        image.expand(-1, 3, -1, -1), (299, 299), mode="bilinear", antialias=True
    )
    seen = []
    made.avgpool.register_forward_hook(lambda module, given, out: seen.append(out.flatten(1)))
    with torch.no_grad():
        made(large)
    torch.testing.assert_close(features, seen[0], rtol=1e-4, atol=1e-5)
