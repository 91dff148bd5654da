"""Named data sets: what comes back, and what is said when something is wrong."""

import hashlib
import pickle
import socket
import tarfile
import urllib.error
import urllib.request

import numpy as np
import pytest
import torch
from PIL import Image

from gdmcourse.data import (
    CATALOG,
    CorruptFileError,
    DataError,
    MissingDataError,
    UnknownDatasetError,
    cifar10,
    data_root,
    load,
    mnist,
)
from gdmcourse.data.fetch import SILENCE, download

MNIST_FILES = [file for files in mnist.FILES.values() for file in files]


@pytest.fixture
def no_network(monkeypatch):
    def refuse(*args, **kwargs):
        raise urllib.error.URLError("Name or service not known")

    monkeypatch.setattr(urllib.request, "urlopen", refuse)


@pytest.fixture
def cache(monkeypatch, tmp_path):
    """An empty cache, so that nothing is read from or left in the user's own."""
    folder = tmp_path / "cache"
    monkeypatch.setattr(cifar10, "cache_folder", lambda: folder)
    return folder


def test_digits_come_as_ink_in_the_documented_range():
    digits = load("digits")
    assert digits.images.shape == (1442, 1, 8, 8)
    assert digits.images.dtype == torch.float32
    assert digits.images.aminmax() == (-1, 1)
    assert digits.labels.dtype == torch.int64
    assert digits.classes == tuple("0123456789")
    assert len(digits) == 1442
    assert repr(digits) == "Dataset(digits, train: 1,442 images of 1×8×8, 10 classes)"


@pytest.mark.parametrize(
    "name", ["digits", "mnist", pytest.param("cifar10", marks=[pytest.mark.slow, pytest.mark.nightly])]
)
def test_the_catalog_tells_the_truth(name, data_root, cache):
    entry = CATALOG[name]
    if entry.find(data_root) is None:
        pytest.skip(f"{name} is not in GDMCOURSE_DATA")
    test = load(name, "test")
    assert test.images.shape == (entry.test, *entry.shape)
    assert test.images.aminmax() == (-1, 1)
    assert test.labels.unique().tolist() == list(range(len(test.classes)))


@pytest.mark.parametrize("split", ["train", "test"])
def test_mnist_is_read_from_the_data_folder(data_root, split):
    if mnist.find_mnist(data_root) is None:
        pytest.skip("GDMCOURSE_DATA holds no MNIST/raw/*-ubyte")
    images = load("mnist", split, download=False)
    raw = np.fromfile(
        data_root / "MNIST/raw" / f"{'train' if split == 'train' else 't10k'}-images-idx3-ubyte", np.uint8
    )
    # The format's header has 16 bytes, then the pixels follow row by row.
    pixels = raw[16:].reshape(-1, 28, 28)
    assert len(images) == len(pixels) == (60000 if split == "train" else 10000)
    assert torch.allclose(images.images[::97, 0], torch.from_numpy(pixels[::97]) / 255 * 2 - 1, atol=1e-6)
    assert int(images.images[123].argmax()) == int(pixels[123].argmax())


def test_an_unknown_name_lists_the_known_ones():
    with pytest.raises(UnknownDatasetError, match=r"digits, mnist, cifar10.*image_folder"):
        load("digit")
    with pytest.raises(UnknownDatasetError, match=r"call toy\('moons'"):
        load("moons")


def test_an_unknown_split_lists_the_known_ones():
    with pytest.raises(ValueError, match="'train' or 'test'"):
        load("digits", "validation")


def test_every_error_of_the_room_is_a_value_error():
    assert issubclass(DataError, ValueError)
    assert all(issubclass(e, DataError) for e in (UnknownDatasetError, MissingDataError, CorruptFileError))


@pytest.mark.parametrize("name", ["mnist", "cifar10"])
def test_without_a_network_the_message_says_what_to_set(name, tmp_path, no_network):
    with pytest.raises(MissingDataError, match=f"gdmcourse data {name}.*set GDMCOURSE_DATA") as caught:
        load(name, root=tmp_path)
    assert "Name or service not known" in str(caught.value)


@pytest.mark.parametrize("name", ["mnist", "cifar10"])
def test_a_root_that_cannot_be_written_is_no_traceback(name, tmp_path, no_network):
    root = tmp_path / "file"
    root.write_text("a file, where a folder should be")
    with pytest.raises(MissingDataError, match="could not be downloaded into"):
        load(name, root=root)


@pytest.mark.parametrize("name", ["mnist", "cifar10"])
def test_download_false_touches_neither_network_nor_disk(name, tmp_path, monkeypatch):
    monkeypatch.setattr(urllib.request, "urlopen", lambda *a, **k: pytest.fail("the network was asked"))
    with pytest.raises(MissingDataError, match="is not in"):
        load(name, root=tmp_path, download=False)
    assert list(tmp_path.iterdir()) == []


def test_a_silent_network_is_given_up(tmp_path):
    def fetch():
        assert socket.getdefaulttimeout() == SILENCE
        raise TimeoutError("timed out")

    before = socket.getdefaulttimeout()
    with pytest.raises(MissingDataError, match="timed out"):
        download("mnist", tmp_path, "files", fetch)
    assert socket.getdefaulttimeout() == before


def test_a_damaged_mnist_file_is_named_and_the_others_stay(tmp_path, data_root, no_network):
    source = data_root / "MNIST/raw"
    if mnist.find_mnist(data_root) is None:
        pytest.skip("GDMCOURSE_DATA holds no MNIST/raw/*-ubyte")
    raw = tmp_path / "MNIST/raw"
    raw.mkdir(parents=True)
    for file in MNIST_FILES:
        (raw / file).symlink_to(source / file)
    damaged = raw / "t10k-labels-idx1-ubyte"
    contents = bytearray(damaged.read_bytes())
    contents[5000] ^= 1  # one bit of one label: the file has the right size and still reads
    damaged.unlink()
    damaged.write_bytes(contents)
    with pytest.raises(CorruptFileError, match=r"t10k-labels-idx1-ubyte is damaged.*Delete this one file"):
        load("mnist", "test", root=tmp_path)
    assert damaged.read_bytes() == contents
    assert sorted(p.name for p in raw.iterdir()) == sorted(MNIST_FILES)
    assert len(load("mnist", "train", root=tmp_path)) == 60000


@pytest.mark.parametrize("contents", [b"", b"\0\0\x08\x03", b"<html>not found</html>"])
def test_a_truncated_or_foreign_mnist_file_is_named(tmp_path, contents, no_network):
    raw = tmp_path / "MNIST/raw"
    raw.mkdir(parents=True)
    for file in MNIST_FILES:
        (raw / file).write_bytes(contents)
    with pytest.raises(CorruptFileError, match="train-images-idx3-ubyte"):
        load("mnist", root=tmp_path)


class Bomb:
    """Unpickling this one writes a file: proof that somebody did."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (open, (str(self.path), "w"))


def test_a_foreign_cifar10_file_is_named_and_never_unpickled(tmp_path, no_network):
    base = tmp_path / "cifar-10-batches-py"
    base.mkdir()
    (base / "data_batch_3").write_bytes(pickle.dumps(Bomb(tmp_path / "exploded")))
    with pytest.raises(CorruptFileError, match=r"data_batch_3 is damaged.*Delete"):
        load("cifar10", root=tmp_path)
    assert not (tmp_path / "exploded").exists()
    assert (base / "data_batch_3").is_file()


def test_the_original_cifar10_is_read_with_channels_and_rows_in_place(tmp_path, monkeypatch):
    from torchvision.datasets import CIFAR10

    base = tmp_path / "cifar-10-batches-py"
    base.mkdir()
    pixels = np.random.default_rng(0).integers(0, 256, (4, 3, 32, 32), dtype=np.uint8)
    pixels[0, 0, 0, :2] = 0, 255
    batch = pickle.dumps({"data": pixels.reshape(4, -1), "labels": [3, 1, 0, 9]})
    names = pickle.dumps({"label_names": [f"class {i}" for i in range(10)]})
    digests = {}
    for file, contents in [("data_batch_1", batch), ("test_batch", batch), ("batches.meta", names)]:
        (base / file).write_bytes(contents)
        digests[file] = hashlib.md5(contents).hexdigest()
    monkeypatch.setattr(CIFAR10, "train_list", [["data_batch_1", digests["data_batch_1"]]])
    monkeypatch.setattr(CIFAR10, "test_list", [["test_batch", digests["test_batch"]]])
    monkeypatch.setattr(CIFAR10, "meta", CIFAR10.meta | {"md5": digests["batches.meta"]})
    stored = load("cifar10", "train", root=tmp_path)
    assert torch.allclose(stored.images, torch.from_numpy(pixels) / 127.5 - 1)
    assert stored.images.aminmax() == (-1, 1)
    assert stored.labels.tolist() == [3, 1, 0, 9]
    assert stored.classes[9] == "class 9"
    assert stored.note == ""


def make_archive(path, folder):
    """A small archive in the form of the real one: split, class, images; each image is of one value."""
    for split, per_class in [("train", 3), ("test", 2)]:
        for label, name in enumerate(["bird", "cat"]):
            (folder / split / name).mkdir(parents=True)
            for i in range(per_class):
                grey = 100 * label + 10 * i
                Image.new("RGB", (32, 32), (grey, grey, grey)).save(folder / split / name / f"{i:04}.jpg")
    with tarfile.open(path, "w:xz") as tar:
        for split in ("train", "test"):
            tar.add(folder / split, split)


def test_the_cifar10_archive_is_unpacked_once_and_says_what_it_is(tmp_path, cache, monkeypatch):
    make_archive(tmp_path / cifar10.ARCHIVE, tmp_path / "made")
    test = load("cifar10", "test", root=tmp_path)
    assert test.name == "cifar10"
    assert test.split == "test"
    assert test.images.shape == (4, 3, 32, 32)
    assert test.labels.tolist() == [0, 0, 1, 1]
    assert test.classes == ("bird", "cat")
    greys = (test.images[:, 0, 0, 0] + 1) * 127.5
    assert torch.allclose(greys, torch.tensor([0.0, 10.0, 100.0, 110.0]), atol=1)
    assert "not for published FIDs" in test.note
    (unpacked,) = cache.iterdir()
    monkeypatch.setattr(tarfile, "open", lambda *a, **k: pytest.fail("unpacked a second time"))
    assert len(load("cifar10", "train", root=tmp_path)) == 6
    assert list(cache.iterdir()) == [unpacked]


@pytest.mark.parametrize("keep", [0.0, 0.5, 0.95])
def test_a_truncated_archive_is_named_and_leaves_nothing_behind(tmp_path, cache, keep):
    archive = tmp_path / cifar10.ARCHIVE
    make_archive(archive, tmp_path / "made")
    contents = archive.read_bytes()
    archive.write_bytes(contents[: int(keep * len(contents))])
    with pytest.raises(CorruptFileError, match=r"cifar10-images\.tar\.xz is damaged.*Delete"):
        load("cifar10", root=tmp_path)
    assert archive.is_file()
    assert list(cache.iterdir()) == []


def test_the_data_root_follows_argument_variable_and_cache_in_this_order(tmp_path, monkeypatch):
    monkeypatch.setenv("GDMCOURSE_DATA", str(tmp_path / "variable"))
    assert data_root(tmp_path / "argument") == tmp_path / "argument"
    assert data_root() == tmp_path / "variable"
    monkeypatch.delenv("GDMCOURSE_DATA")
    assert data_root().parent.name == "gdmcourse"
    assert data_root("~/pictures").is_absolute()
