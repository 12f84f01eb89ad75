"""The blinded review: nothing tells the source, and returned sheets are scored or refused."""

import csv
import io
import re
import subprocess
import sys

import pytest
from generation_stage import ROOT, SCRIPTS
from longtail_icd.common.errors import UserError
from longtail_icd.generation.quality.returned import (
    in_words,
    read_key,
    read_sheet,
    score_review,
)
from longtail_icd.generation.quality.review import (
    COLUMNS,
    read_review,
    review_key,
    review_page,
    review_sheet,
)
from quality_notes import write_files

TEMPLATE = ROOT / "resources/quality/review.html.j2"
KEY = "note,source,id\na,real,1\nb,synthetic,2\nc,synthetic,3\n"
HEAD = ",".join(COLUMNS)
SHEET = f"""{HEAD}
a,428.0,Heart failure,yes,5,real
a,401.9,Hypertension, YES ,,
b,428.0,Heart failure,no,2,Real
c,428.0,Heart failure,unsure,3,synthetic
"""


@pytest.fixture
def notes(tmp_path):
    return read_review(write_files(tmp_path), 10, 1)


def read(tmp_path, sheet=SHEET, key=KEY):
    (tmp_path / "key.csv").write_text(key)
    (tmp_path / "sheet.csv").write_text(sheet)
    return read_sheet(tmp_path / "sheet.csv", read_key(tmp_path / "key.csv"))


def test_half_are_real_and_they_are_mixed(notes):
    sources = [note.source for note in notes]
    assert sources.count("real") == sources.count("synthetic") == 5
    assert sources not in (sorted(sources), sorted(sources, reverse=True))


def test_sheet_and_page_tell_nothing_of_the_source(notes):
    sheet, page = review_sheet(notes), review_page(notes, None, TEMPLATE)
    for note in notes:
        assert note.id not in sheet
        assert note.id not in page
        assert re.fullmatch(r"[0-9a-f]{6}-\d{3}", note.name)
        assert note.codes == sorted(note.codes)
    # The words of the sources stand on the page as often for every note: in the guess alone.
    for source in ("real", "synthetic"):
        assert page.count(f'value="{source}"') == len(notes)
        assert f'"{source}' not in sheet
    swapped = [
        type(note)(**vars(note) | {"source": "real", "id": f"other {place}"})
        for place, note in enumerate(notes)
    ]
    assert (review_sheet(swapped), review_page(swapped, None, TEMPLATE)) == (sheet, page)


def test_another_draw_has_other_names(tmp_path, notes):
    other = read_review(write_files(tmp_path), 10, 2)
    assert not {note.name for note in notes} & {note.name for note in other}
    assert read_review(write_files(tmp_path), 10, 1) == notes


def test_the_sheet_has_a_row_per_code_and_comes_back_as_it_went(tmp_path, notes):
    rows = list(csv.DictReader(io.StringIO(review_sheet(notes))))
    assert [row["note"] for row in rows] == [note.name for note in notes for _ in note.codes]
    returned = read(tmp_path, review_sheet(notes), review_key(notes))
    assert returned["source"].to_list() == [note.source for note in notes for _ in note.codes]
    with pytest.raises(UserError, match="no answer"):
        score_review(returned)


def test_hostile_text_stays_text(tmp_path):
    hostile = "</div><script>alert(1)</script> {n} \"quoted\" 'too'"
    page = review_page(read_review(write_files(tmp_path, text=hostile), 10, 1), None, TEMPLATE)
    assert page.count("<script>") == 1
    assert page.count("alert(1)") == 5


def test_too_few_notes_are_one_clear_error(tmp_path):
    with pytest.raises(UserError, match="only 10 synthetic notes with codes for 25"):
        read_review(write_files(tmp_path, real=60), 50, 1)


def test_scores_by_hand(tmp_path):
    scores = {(one.what, one.source): one.estimate for one in score_review(read(tmp_path))}
    assert scores["plausibility", "real"].value == 5
    assert scores["plausibility", "synthetic"].value == 2.5
    assert scores["support", "real"].value == 1
    assert scores["support", "synthetic"].value == 0
    right = scores["guessed right", "both"]
    assert (right.value, right.n) == (pytest.approx(2 / 3), 3)


def test_answers_that_are_repeated_in_a_notes_rows_count_once(tmp_path):
    filled = SHEET.replace("YES ,,", "YES ,5,real")
    assert score_review(read(tmp_path, filled)) == score_review(read(tmp_path))


@pytest.mark.parametrize(
    ("sheet", "message"),
    [
        (SHEET.replace("support", "backing", 1), "sheet.csv: column support is missing"),
        (SHEET.replace("b,428.0", "z,428.0"), "row 4: note z is not in the key"),
        (SHEET.replace("no,2", "no,6"), "row 4: plausibility is none of 1, 2, 3, 4, 5"),
        (SHEET.replace("no,2", "perhaps,2"), "row 4: support is none of yes, no, unsure"),
        (SHEET.replace("3,synthetic", "3,robot"), "row 5: guess is none of real, synthetic"),
        (SHEET.replace("YES ,,", "YES ,4,"), "row 3: plausibility differs"),
        (SHEET.replace("a,401.9", "a,428.0"), "row 3: note and code stand in an earlier row"),
        ("", "sheet.csv: not a readable CSV"),
    ],
)
def test_a_bad_sheet_is_one_clear_error(tmp_path, sheet, message):
    with pytest.raises(UserError, match=re.escape(message)):
        read(tmp_path, sheet)


@pytest.mark.parametrize("key", ["note,source\na,real\n", KEY.replace("a,real", "a,reel")])
def test_a_file_that_is_no_key_is_named(tmp_path, key):
    with pytest.raises(UserError, match=r"key\.csv: "):
        read(tmp_path, key=key)


def test_the_command_scores_several_sheets_and_has_no_traceback(tmp_path):
    read(tmp_path)
    script = [sys.executable, str(SCRIPTS / "score_review.py"), str(tmp_path / "key.csv")]
    sheet = str(tmp_path / "sheet.csv")
    done = subprocess.run([*script, sheet, sheet], capture_output=True, text=True, check=True)
    assert "guessed right, both: 0.67" in done.stdout
    assert "n = 6" in done.stdout
    done = subprocess.run(
        [*script, str(tmp_path / "none.csv")], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert done.stderr == f"error: {tmp_path}/none.csv: no such file\n"


def test_scores_in_words(tmp_path):
    assert in_words(score_review(read(tmp_path))).startswith("plausibility, real: 5.00, n = 1")
