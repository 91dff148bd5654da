"""A reader's own images."""

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from gdmcourse.data import CorruptFileError, ImageFolderError, image_folder


def save(path, array, **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.asarray(array, dtype=np.uint8)).save(path, **options)


def grey(value, height=4, width=6):
    return np.full((height, width), value)


def test_sub_folders_are_classes_in_alphabetical_order(tmp_path):
    save(tmp_path / "dog" / "1.png", grey(255))
    save(tmp_path / "cat" / "b.png", grey(0))
    save(tmp_path / "cat" / "deeper" / "a.png", grey(51))
    (tmp_path / "empty").mkdir()
    (tmp_path / "cat" / "notes.txt").write_text("not an image")
    pets = image_folder(tmp_path)
    assert pets.classes == ("cat", "dog")
    assert pets.labels.tolist() == [0, 0, 1]
    assert pets.images.shape == (3, 1, 4, 6)
    assert torch.allclose(pets.images[:, 0, 0, 0], torch.tensor([-1.0, -0.6, 1.0]))
    assert (pets.name, pets.split) == (tmp_path.name, "all")


def test_a_flat_folder_is_one_class(tmp_path):
    save(tmp_path / "1.png", grey(0))
    assert image_folder(tmp_path).classes == (tmp_path.name,)


@given(st.binary(min_size=24, max_size=24))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=20)
def test_stored_pixels_come_back_exactly(tmp_path, pixels):
    array = np.frombuffer(pixels, np.uint8).reshape(2, 4, 3)
    save(tmp_path / "1.png", array)
    image = image_folder(tmp_path).images[0]
    assert torch.equal(((image + 1) * 127.5).round().byte(), torch.from_numpy(array.copy()).permute(2, 0, 1))


def test_grey_among_colour_becomes_colour(tmp_path):
    save(tmp_path / "1.png", grey(200))
    save(tmp_path / "2.png", np.full((4, 6, 3), (255, 0, 51)))
    images = image_folder(tmp_path).images
    assert images.shape == (2, 3, 4, 6)
    assert images[0, :, 0, 0].unique().numel() == 1
    assert torch.allclose(images[1, :, 0, 0], torch.tensor([1.0, -1.0, -0.6]))


def test_transparent_places_show_white(tmp_path):
    save(tmp_path / "1.png", np.zeros((4, 6, 4)))
    assert (image_folder(tmp_path).images == 1).all()


def test_a_photograph_is_turned_upright(tmp_path):
    sideways = Image.fromarray(np.array([[0, 255], [0, 255], [0, 255]], dtype=np.uint8))
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was turned by a quarter: show it rotated clockwise
    sideways.save(tmp_path / "1.png", exif=exif)
    image = image_folder(tmp_path).images[0, 0]
    assert image.tolist() == [[-1.0, -1.0, -1.0], [1.0, 1.0, 1.0]]


def test_size_scales_and_crops_around_the_centre(tmp_path):
    wide = np.zeros((10, 30), np.uint8)
    wide[:, 10:20] = 255
    save(tmp_path / "wide.png", wide)
    save(tmp_path / "tall.png", wide.T)
    images = image_folder(tmp_path, size=10).images
    assert images.shape == (2, 1, 10, 10)
    assert (images == 1).all()
    assert image_folder(tmp_path, size=5).images.shape == (2, 1, 5, 5)


def test_mixed_sizes_name_two_of_them_and_the_way_out(tmp_path):
    save(tmp_path / "a.png", grey(0, 4, 6))
    save(tmp_path / "b.png", grey(0, 5, 6))
    with pytest.raises(ImageFolderError, match=r"a\.png is 6×4 and b\.png is 6×5.*size=32"):
        image_folder(tmp_path)


def test_an_empty_or_absent_folder_says_so(tmp_path):
    (tmp_path / "notes.txt").write_text("nothing to see")
    with pytest.raises(ImageFolderError, match=r"holds no images.*\.png"):
        image_folder(tmp_path)
    with pytest.raises(ImageFolderError, match="is not a folder"):
        image_folder(tmp_path / "absent")


def test_loose_images_beside_classes_are_not_guessed_at(tmp_path):
    save(tmp_path / "stray.png", grey(0))
    save(tmp_path / "cat" / "1.png", grey(0))
    with pytest.raises(ImageFolderError, match=r"stray\.png"):
        image_folder(tmp_path)


@pytest.mark.parametrize("suffix", ["png", "jpg"])
@pytest.mark.parametrize("keep", [0.0, 0.4])
def test_a_truncated_image_is_named_and_the_others_stay(tmp_path, suffix, keep):
    noise = np.random.default_rng(0).integers(0, 256, (32, 32, 3))
    for name in ("good", "torn"):
        save(tmp_path / f"{name}.{suffix}", noise)
    torn = tmp_path / f"torn.{suffix}"
    contents = torn.read_bytes()
    torn.write_bytes(contents[: int(keep * len(contents))])
    with pytest.raises(CorruptFileError, match=rf"torn\.{suffix} can't be read.*Delete it"):
        image_folder(tmp_path)
    assert sorted(p.name for p in tmp_path.iterdir()) == [f"good.{suffix}", f"torn.{suffix}"]


def test_sixteen_bits_are_refused_rather_than_clipped(tmp_path):
    Image.fromarray(np.full((4, 4), 40000, np.uint16)).save(tmp_path / "x.png")
    with pytest.raises(ImageFolderError, match=r"x\.png.*8 bits"):
        image_folder(tmp_path)


def test_the_fixed_split_parts_the_folder(tmp_path):
    for i in range(11):
        save(tmp_path / "c" / f"{i:02}.png", grey(20 * i))
    train, test = image_folder(tmp_path, split="train"), image_folder(tmp_path, split="test")
    assert ((test.images[:, 0, 0, 0] + 1) * 127.5).round().tolist() == [80, 180]  # the fifth and the tenth
    assert len(train) == 9


def test_bad_arguments_are_refused(tmp_path):
    with pytest.raises(ValueError, match="'train', 'test', or None"):
        image_folder(tmp_path, split="all")
    with pytest.raises(ValueError, match="at least one pixel"):
        image_folder(tmp_path, size=0)
