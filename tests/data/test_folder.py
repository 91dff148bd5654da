"""A reader's own images."""

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageOps

from gdmcourse.data import CorruptFileError, ImageFolderError, image_folder
from gdmcourse.data.image_file import readable_suffixes


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
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], max_examples=20)
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


def test_an_odd_tag_costs_no_image(tmp_path):
    """A camera's tag that can't be read, or not be written again, says nothing of the pixels."""
    save(tmp_path / "good.png", grey(51))
    odd = Image.fromarray(grey(204).astype(np.uint8))
    odd.save(tmp_path / "torn.png", exif=b"Exif\x00\x00II*\x00\xff\xff\xff\xff")
    typeless = Image.Exif()
    typeless[0x0112] = 3
    typeless[0x9286] = "a comment in a tag that has no text"
    odd.save(
        tmp_path / "written.webp", exif=typeless.tobytes().replace(b"\x12\x01\x03\x00", b"\x12\x01\x02\x00")
    )
    pictures = image_folder(tmp_path)
    assert len(pictures) == 3
    assert ((pictures.images[:, 0, 0, 0] + 1) * 127.5).round().tolist() == pytest.approx(
        [51, 204, 204], abs=1
    )


@pytest.mark.parametrize("turn", range(1, 9))
def test_every_way_to_hold_a_camera_is_turned_as_pillow_does(tmp_path, turn):
    exif = Image.Exif()
    exif[0x0112] = turn
    stored = Image.fromarray(np.arange(12, dtype=np.uint8).reshape(3, 4))
    stored.save(tmp_path / "1.png", exif=exif)
    with Image.open(tmp_path / "1.png") as opened:
        wanted = np.asarray(ImageOps.exif_transpose(opened))
    ours = ((image_folder(tmp_path).images[0, 0] + 1) * 127.5).round().byte().numpy()
    assert np.array_equal(ours, wanted)


def test_all_damaged_files_are_named_at_once(tmp_path):
    save(tmp_path / "good.png", grey(0))
    for i in range(7):
        (tmp_path / f"bad{i}.jpg").write_bytes(b"\xff\xd8 no image")
    with pytest.raises(CorruptFileError) as raised:
        image_folder(tmp_path)
    lines = str(raised.value).splitlines()
    assert [f"bad{i}.jpg" in line for i, line in enumerate(lines[:5])] == [True] * 5
    assert lines[5] == "There are 2 more."


@pytest.mark.parametrize("held_out", ["test", "val", "Validation"])
def test_folders_for_training_and_testing_are_splits_and_no_classes(tmp_path, held_out):
    for part, value in (("train", 0), (held_out, 255)):
        for name, count in (("dog", 1), ("cat", 2)):
            for i in range(count):
                save(tmp_path / part / name / f"{i}.png", grey(value))
    save(tmp_path / held_out / "emu" / "1.png", grey(255))
    train, test, both = (image_folder(tmp_path, split=split) for split in ("train", "test", None))
    assert train.classes == test.classes == both.classes == ("cat", "dog", "emu")
    assert train.class_counts == {"cat": 2, "dog": 1, "emu": 0}
    assert test.labels.tolist() == [0, 0, 1, 2]
    assert (train.images == -1).all()
    assert (test.images == 1).all()
    assert len(both) == len(train) + len(test)
    assert not both.note


def test_a_third_part_is_left_out_and_named(tmp_path):
    for part in ("train", "val", "test"):
        save(tmp_path / part / "cat" / "1.png", grey(0))
    pets = image_folder(tmp_path)
    assert len(pets) == 2
    assert pets.note == "Left out, since test is for testing: val."


def test_a_lone_folder_for_training_is_the_whole(tmp_path):
    save(tmp_path / "train" / "cat" / "1.png", grey(0))
    save(tmp_path / "train" / "dog" / "1.png", grey(0))
    assert image_folder(tmp_path).classes == ("cat", "dog")


def test_pictures_of_trains_are_a_class(tmp_path):
    save(tmp_path / "train" / "1.png", grey(0))
    save(tmp_path / "bus" / "1.png", grey(0))
    assert image_folder(tmp_path).classes == ("bus", "train")


def test_parts_of_which_one_has_no_classes_are_refused(tmp_path):
    save(tmp_path / "train" / "cat" / "1.png", grey(0))
    save(tmp_path / "test" / "1.png", grey(0))
    with pytest.raises(ImageFolderError, match=r"test holds images without classes"):
        image_folder(tmp_path)


def test_hidden_folders_and_other_programs_copies_are_no_images(tmp_path):
    save(tmp_path / "cat" / "1.png", grey(0))
    for hidden in (
        "cat/.thumbnails/1.png",
        "cat/@eaDir/1.png",
        "__MACOSX/cat/1.png",
        "cat/deep/.cache/1.png",
    ):
        save(tmp_path / hidden, grey(255))
    pets = image_folder(tmp_path)
    assert (len(pets), pets.classes) == (1, ("cat",))


def test_kinds_that_pillow_reads_are_read_and_the_others_named(tmp_path):
    save(tmp_path / "a.JFIF", grey(0), format="JPEG")
    for name in ("b.heic", "c.heic", "d.svg"):
        (tmp_path / name).write_bytes(b"a picture that needs more than Pillow")
    if ".avif" in readable_suffixes():
        save(tmp_path / "e.avif", grey(0))
    pictures = image_folder(tmp_path)
    assert len(pictures) == len(list(tmp_path.iterdir())) - 3
    assert pictures.note.startswith("Left out, since they can't be read here: 2 .heic, 1 .svg. Save them as")


def test_a_folder_of_nothing_but_unreadable_kinds_says_which(tmp_path):
    (tmp_path / "a.heic").write_bytes(b"")
    with pytest.raises(ImageFolderError, match=r"holds no images that can be read.*1 \.heic"):
        image_folder(tmp_path)


def test_too_few_images_for_a_test_set_say_so(tmp_path):
    save(tmp_path / "cat" / "1.png", grey(0))
    with pytest.raises(ImageFolderError, match="no class of five images"):
        image_folder(tmp_path, split="test")
