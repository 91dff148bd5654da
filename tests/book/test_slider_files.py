"""A slider's pictures become files beside the page; the slider itself stays as it is."""

import base64
import re
from pathlib import Path

from gdmbook.slider import FOLDER, with_files
from matplotlib.figure import Figure

from gdmcourse.plots import frames


def drawn(value: float) -> Figure:
    figure = Figure(figsize=(1, 1))
    figure.subplots().plot([0, value])
    return figure


def slider(count: int, initial: int) -> str:
    values = [float(value) for value in range(count)]
    return frames(drawn, values, label="t", caption="c", alt="a <b>", initial=initial).html()


def test_each_picture_is_a_file_with_its_content(tmp_path):
    inside = slider(5, initial=3)
    outside = with_files(inside, tmp_path / FOLDER, "book/part")
    addresses = re.findall(r'src="([^"]+)"', outside)
    assert "base64" not in outside
    assert [Path(address).parent.as_posix() for address in addresses] == [f"../../{FOLDER}"] * 5
    data = [base64.b64decode(part) for part in re.findall(r"base64,([^\"]+)", inside)]
    assert [(tmp_path / FOLDER / Path(address).name).read_bytes() for address in addresses] == data


def test_only_what_is_shown_or_printed_is_loaded_at_once(tmp_path):
    html = with_files(slider(7, initial=2), tmp_path, "book")
    pictures = re.findall(r"<img [^>]*>", html)
    assert [" hidden" in picture for picture in pictures] == [True, True, False, True, True, True, True]
    late = [at for at, picture in enumerate(pictures) if 'loading="lazy"' in picture]
    assert late == [1, 4, 5]
    assert re.findall(r'data-value="([^"]*)"', html) == ["t: 0", "t: 3", "t: 6"]


def test_the_words_of_a_picture_stay(tmp_path):
    html = with_files(slider(2, initial=0), tmp_path, "book")
    assert html.count('alt="a &lt;b&gt; (t: 0)"') == 1
    assert html.count('width="100" height="100"') == 2
