"""What is taken of folders and zips: whose it is, which notebook counts, what is left out and why."""

import os
import stat
import zipfile
from pathlib import Path, PurePosixPath

import pytest

from gdmcourse.classroom.archive import members
from gdmcourse.classroom.collect import collect
from gdmcourse.classroom.who import who
from gdmcourse.grading.folders import remove


def make(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(f"content of {name}")


def packed(path: Path, *names: str | tuple[zipfile.ZipInfo, bytes]) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name in names:
            if isinstance(name, str):
                archive.writestr(name, b"" if name.endswith("/") else f"content of {name}")
            else:
                archive.writestr(*name)
    return path


def told(found):
    return {(s.student.id, s.student.name, s.file): s.problem for s in found}


@pytest.mark.parametrize(
    ("path", "student", "name", "stem"),
    [
        ("Ada Lovelace_12345_assignsubmission_file_/x.ipynb", "12345", "Ada Lovelace", "x"),
        ("Ada_Love_Lace_7_assignsubmission_file/deep/x.ipynb", "7", "Ada_Love_Lace", "x"),
        ("Ada Lovelace_12345_assignsubmission_file_x.ipynb", "12345", "Ada Lovelace", "x"),
        ("lovelaceada_12345_67890_x.ipynb", "12345", "lovelaceada", "x"),
        ("lovelaceada_LATE_12345_67890_x-1.ipynb", "12345", "lovelaceada", "x"),
        ("ada/x.ipynb", "ada", "ada", "x"),
        ("ada/homework 1/x.ipynb", "ada", "ada", "x"),
        ("ada.ipynb", "ada", "ada", "ada"),
        ("e\u0301mile/x.ipynb", "\xe9mile", "\xe9mile", "x"),
    ],
)
def test_whose_it_is_and_what_it_is_called(path, student, name, stem):
    found, own = who(PurePosixPath(path))
    assert (found.id, found.name, own) == (student, name, stem)


@pytest.mark.parametrize(
    ("path", "student"),
    [
        ("ada/Bob_777_assignsubmission_file_/x.ipynb", "ada"),
        ("ada/bob_777_888_x.ipynb", "ada"),
        ("Ada_1_assignsubmission_file_/Bob_777_assignsubmission_file_/x.ipynb", "1"),
        ("Bob_777_assignsubmission_file__1_assignsubmission_file_/x.ipynb", "1"),
        ("Ada_1_assignsubmission_file_Bob_777_assignsubmission_file_x.ipynb", "1"),
        ("ada_1_2_Bob_777_assignsubmission_file_x.ipynb", "1"),
        ("ada_1_2_bob_777_888_x.ipynb", "1"),
    ],
)
def test_nobody_hands_in_for_another_by_a_name_of_ones_own_choice(path, student):
    assert who(PurePosixPath(path))[0].id == student


def test_names_that_are_cleaned_stay_apart():
    names = [who(PurePosixPath(f"a{byte}/x.ipynb"))[0] for byte in ("\udcff", "\udcfe", "\x1b[2J", "?")]
    assert len({student.id for student in names}) == 4
    assert all(student.name.isprintable() for student in names)


def test_a_folder_of_students(tmp_path):
    make(
        tmp_path,
        "ada/tiny.ipynb",
        "ada/other.ipynb",
        "bob/my tiny copy.ipynb",
        "carl/a.ipynb",
        "carl/b.ipynb",
    )
    make(tmp_path, "ada/.ipynb_checkpoints/tiny.ipynb", "eve/readme.txt", "ünï cödé/tiny.ipynb")
    assert told(collect([tmp_path], "tiny")) == {
        ("ada", "ada", "ada/tiny.ipynb"): None,
        ("bob", "bob", "bob/my tiny copy.ipynb"): None,
        ("carl", "carl", "carl/a.ipynb"): None,
        ("carl", "carl", "carl/b.ipynb"): None,
        ("eve", "eve", "eve"): "there is no notebook in it",
        ("ünï cödé", "ünï cödé", "ünï cödé/tiny.ipynb"): None,
    }


def test_a_student_can_not_fill_the_day_with_notebooks(tmp_path):
    make(tmp_path, *(f"mallory/{number}/tiny.ipynb" for number in range(11)), "ada/tiny.ipynb")
    ada, mallory = collect([tmp_path], "tiny")
    assert (ada.problem, mallory.problem) == (None, "there are more than 10 notebooks; hand in one")


def test_a_zip_as_moodle_exports_it_and_one_in_a_folder_of_its_own(tmp_path):
    flat = packed(
        tmp_path / "moodle.zip", "Ada L_1_assignsubmission_file_/tiny.ipynb", "Bob_2_assignsubmission_file_/"
    )
    names = ("homework/", "homework/readme.txt", "homework/carl/", "homework/carl/tiny.ipynb")
    deep = packed(tmp_path / "deep.zip", *names, "homework/dora/notes.pdf", "homework/fay/my tiny.ipynb")
    found = collect([flat, deep], "tiny")
    assert told(found) == {
        ("1", "Ada L", "Ada L_1_assignsubmission_file_/tiny.ipynb"): None,
        ("2", "Bob", "Bob_2_assignsubmission_file_"): "there is no notebook in it",
        ("carl", "carl", "carl/tiny.ipynb"): None,
        ("dora", "dora", "dora"): "there is no notebook in it",
        ("fay", "fay", "fay/my tiny.ipynb"): None,
    }
    assert found[0].load() == b"content of Ada L_1_assignsubmission_file_/tiny.ipynb"
    assert found[0].at is not None


def test_a_name_in_a_zip_that_does_not_say_its_encoding(tmp_path):
    path = packed(tmp_path / "a.zip", "Zoé/tiny.ipynb")
    data = path.read_bytes()
    for at in (data.index(b"PK\x03\x04") + 6, data.index(b"PK\x01\x02") + 8):
        data = data[:at] + b"\x00\x00" + data[at + 2 :]
    path.write_bytes(data)
    assert collect([path], "tiny")[0].student.name == "Zoé"
    path.write_bytes(data.replace("Zoé".encode(), b"Zo\xe9\xe9"))
    assert collect([path], "tiny")[0].student.name.startswith("Zo")


def test_paths_out_of_a_zip_links_and_bombs_are_refused(tmp_path):
    link = zipfile.ZipInfo("bob/tiny.ipynb")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    bomb = zipfile.ZipInfo("carl/tiny.ipynb")
    bomb.compress_type = zipfile.ZIP_DEFLATED
    path = packed(
        tmp_path / "bad.zip",
        "../../ada/tiny.ipynb",
        (link, b"/etc/passwd"),
        (bomb, bytes(3_000_000)),
        "/abs/tiny.ipynb",
        "C:\\fay/tiny.ipynb",
        "Dora: D_4_assignsubmission_file_/tiny.ipynb",
    )
    before = sorted(tmp_path.rglob("*"))
    found = collect([path], "tiny")
    problems = {s.student.id: s.problem for s in found}
    assert problems["ada"] == problems["abs"] == problems["C:"] == "its path leads out of the zip"
    assert problems["bob"].startswith("it is a link")
    assert problems["carl"].startswith("it unpacks to more than two hundred times")
    assert problems["4"] is None
    [s.load() for s in found if s.problem is None]
    assert sorted(tmp_path.rglob("*")) == before


def test_a_member_that_lies_about_its_size_is_read_no_further(tmp_path):
    path = packed(tmp_path / "a.zip", ("ada/tiny.ipynb", b"x" * 1000))
    data = path.read_bytes()
    path.write_bytes(data.replace((1000).to_bytes(4, "little"), (10).to_bytes(4, "little")))
    (found,) = collect([path], "tiny")
    with pytest.raises(OSError, match="damaged"):
        found.load()


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_member_whose_bytes_are_damaged_costs_no_other(tmp_path, method):
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w", method) as archive:
        for name in ("ada/tiny.ipynb", "bob/tiny.ipynb"):
            archive.writestr(name, "content " * 99)
    data = bytearray(path.read_bytes())
    start = data.index(b"ada/tiny.ipynb") + len(b"ada/tiny.ipynb") + (9 if method == zipfile.ZIP_LZMA else 0)
    data[start : start + 8] = b"\xff" * 8
    path.write_bytes(data)
    ada, bob = collect([path], "tiny")
    with pytest.raises(OSError, match=r"damaged|Invalid data stream"):
        ada.load()
    assert len(bob.load()) == 8 * 99


def test_what_is_no_zip_and_what_is_not_there_is_said(tmp_path):
    (tmp_path / "a.zip").write_text("no zip")
    named = packed(tmp_path / "named.zip", "Zo\xe9/tiny.ipynb").read_bytes()
    (tmp_path / "named.zip").write_bytes(named.replace("\xe9".encode(), b"\xff\xff"))
    for name in ("a.zip", "named.zip"):
        with pytest.raises(ValueError, match="not a zip that can be read"):
            members(tmp_path / name)
    with pytest.raises(ValueError, match="there is no folder, zip or notebook"):
        collect([tmp_path / "none"], "tiny")
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match="nothing was handed in"):
        collect([tmp_path / "empty"], "tiny")


def test_links_in_a_folder_lead_nowhere(tmp_path):
    make(tmp_path, "secret/key.ipynb", "class/ada/tiny.ipynb")
    (tmp_path / "class/bob").mkdir()
    (tmp_path / "class/bob/tiny.ipynb").symlink_to(tmp_path / "secret/key.ipynb")
    (tmp_path / "class/carl").symlink_to(tmp_path / "secret")
    os.mkfifo(tmp_path / "class/ada/other tiny.ipynb")
    found = {s.student.id: s for s in collect([tmp_path / "class"], "tiny")}
    assert found["ada"].problem is None
    assert found["bob"].problem.startswith("it is a link")
    assert found["carl"].problem == "there is no notebook in it"
    with pytest.raises(OSError, match="symbolic links"):
        found["bob"].load()


@pytest.mark.skipif(os.name != "posix", reason="names are bytes on Linux only")
def test_names_that_are_no_text_are_graded_apart_and_told(graded, book, tiny, tmp_path):
    folder = os.fsencode(tmp_path / "class")
    for number, name in enumerate((b"ren\xe9", b"ren\xe8", b"two words", "\u738b".encode())):
        os.makedirs(os.path.join(folder, name))
        path = Path(os.fsdecode(os.path.join(folder, name, b"tiny.ipynb")))
        tiny.hand_in(path, q1=f"def signal(a):\n    return {number}")
    taken, _ = graded(tmp_path / "class")
    assert (taken.graded, taken.problems) == (4, [])
    names = [row["name"] for row in book.rows("SELECT name FROM handed_in ORDER BY id")]
    assert sorted(names) == ["ren?", "ren?", "two words", "\u738b"]
    assert len(book.rows("SELECT DISTINCT student FROM grade")) == 4


def test_two_thousand_files_with_one_unreadable(graded, tiny, tmp_path):
    folder = tmp_path / "many"
    text = tiny.hand_in(folder / "s0" / "tiny.ipynb").read_bytes()
    for number in range(1, 2000):
        (folder / f"s{number}").mkdir()
        (folder / f"s{number}" / "tiny.ipynb").write_bytes(text)
    (folder / "s77" / "tiny.ipynb").write_bytes(b"\xff\xfe no notebook")
    taken, pool = graded(folder)
    assert (taken.submissions, taken.contents, taken.graded) == (2000, 2, 2)
    assert len(pool.asked) == 2
    (problem,) = taken.problems
    assert problem.startswith("s77/tiny.ipynb: it is not a notebook")


def test_folders_in_each_other_without_end_stop_nobody_elses_work(tmp_path):
    """A student's archive, unpacked: no walk by recursion, and the others are found."""
    make(tmp_path, "ada/tiny.ipynb")
    (tmp_path / "bob").mkdir()
    level = os.open(tmp_path / "bob", os.O_RDONLY)
    try:
        for _ in range(1500):
            os.mkdir("d", dir_fd=level)
            inner = os.open("d", os.O_RDONLY, dir_fd=level)
            os.close(level)
            level = inner
        os.close(level)
        found = collect([tmp_path], "tiny")
        assert {s.student.name: s.problem for s in found} == {
            "ada": None,
            "bob": "there is no notebook in it",
        }
    finally:
        remove(tmp_path / "bob")
