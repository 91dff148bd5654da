"""What a chapter's outputs do not depend on does not have it executed again."""

from gdmbook.chapters import chapters
from gdmbook.execution import execute
from gdmbook.records import Records

from tests.book.tiny import chapter, make

PLAIN = chapter("Plain", "print(6 * 7)")
FOLDED = PLAIN.replace("ipython3\nprint", "ipython3\n---\ntags: [hide-input]\n---\nprint")


def test_a_tag_or_a_word_of_the_text_keeps_the_run(tmp_path):
    root = make(tmp_path, plain=PLAIN)
    records = Records(root)
    page = chapters(root)[0]
    records.store(page, *execute(page, lambda page, done, total: None, lambda: 1.0))
    run = records.find(page)

    (root / "plain.md").write_text(FOLDED + "\nMore words.\n")
    tagged = chapters(root)[0]
    assert records.latest(tagged) is None
    assert records.find(tagged) == run
    assert records.executed(tagged).cells[1].outputs[0].text == "42\n"
    assert records.executed(tagged).cells[1].metadata["tags"] == ["hide-input"]


def test_other_code_needs_another_run(tmp_path):
    root = make(tmp_path, plain=PLAIN)
    records = Records(root)
    page = chapters(root)[0]
    records.store(page, *execute(page, lambda page, done, total: None, lambda: 1.0))
    (root / "plain.md").write_text(FOLDED.replace("6 * 7", "6 * 8"))
    assert records.find(chapters(root)[0]) is None
