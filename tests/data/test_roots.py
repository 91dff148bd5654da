"""The cache: found, made, and refused by a sentence before anything long begins."""

import os

import pytest

from gdmcourse.data import MissingDataError
from gdmcourse.data.roots import cache_folder, cache_for


def test_the_cache_is_made_where_the_variable_says(monkeypatch, tmp_path):
    monkeypatch.setenv("GDMCOURSE_CACHE", str(tmp_path / "deep" / "cache"))
    assert cache_for("features") == tmp_path / "deep" / "cache" / "features"
    assert list(cache_for("features").iterdir()) == []


def test_a_cache_that_cannot_be_written_names_the_variable(monkeypatch, tmp_path):
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("GDMCOURSE_CACHE", str(tmp_path / "file"))
    with pytest.raises(
        MissingDataError, match=r"file/features can't be written \(Not a directory\).*GDMCOURSE_CACHE"
    ):
        cache_for("features")


def test_without_a_home_the_cache_is_not_put_into_the_working_folder(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    for variable in ("GDMCOURSE_CACHE", "XDG_CACHE_HOME", "HOME"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setattr(os.path, "expanduser", lambda path: path)  # what it does where there is no home
    with pytest.raises(MissingDataError, match=r"no home.*Set GDMCOURSE_CACHE"):
        cache_folder()
    assert list(tmp_path.iterdir()) == []
