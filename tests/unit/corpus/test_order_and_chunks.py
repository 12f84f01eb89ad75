"""What is prepared depends on the rows, not on their order or on how they are cut into blocks."""

import random

import polars as pl
import pytest
from corpus_files import hospital, hospital_4, note, prepared
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from longtail_icd.corpus import prepared_notes, raw_tables
from longtail_icd.corpus.code_rows import label_rows

NOTES = [
    note(
        row,
        100 + row % 37,
        f"text {row}\n" * (row % 50 + 1),
        category="Nursing" if row % 5 == 0 else "Discharge summary",
        kind="Addendum" if row % 7 == 0 else "Report",
        date=f"2101-01-{row % 28 + 1:02d}",
    )
    for row in range(1, 400)
]
CODES = [f"{100 + row % 37},{row % 9},{row % 23:04d}" for row in range(600)]
STAYS = [f"1,1,{100 + one},2101-01-01 00:00:00" for one in range(30)]


def _digest(folder, tmp_path, adapter="mimic3", **settings):
    prepared(folder, tmp_path, adapter, **settings)
    return [(tmp_path / "out" / f"{name}.parquet").read_bytes() for name in ("notes", "labels")]


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("order", ["reports_first", "rows"])
def test_a_shuffled_hospital_gives_the_same_bytes(tmp_path, seed, order):
    joining = {"order": order, "separator": "newline", "identical": "keep"}
    first = hospital(tmp_path / "a", NOTES, CODES, CODES, STAYS, ["1,1,F,2051-01-01 00:00:00"])
    draw = random.Random(seed)
    mixed = [draw.sample(rows, len(rows)) for rows in (NOTES, CODES, CODES, STAYS)]
    second = hospital(tmp_path / "b", *mixed, ["1,1,F,2051-01-01 00:00:00"])
    assert _digest(first, tmp_path, joining=joining) == _digest(second, tmp_path, joining=joining)


@pytest.mark.parametrize("block", [1 << 11, 5000, 1 << 14])
def test_a_rechunked_table_gives_the_same_bytes(tmp_path, monkeypatch, block):
    folder = hospital(tmp_path / "a", NOTES, CODES, CODES, STAYS)
    whole = _digest(folder, tmp_path)
    monkeypatch.setattr(raw_tables, "BLOCK", block)
    assert _digest(folder, tmp_path) == whole


def test_the_row_groups_hold_whole_documents_in_one_order(tmp_path, monkeypatch):
    """Written in small groups the table holds the same rows."""
    folder = hospital(tmp_path / "a", NOTES, CODES)
    whole, _, _ = prepared(folder, tmp_path)
    monkeypatch.setattr(prepared_notes, "GROUP", 5)
    parts, _, _ = prepared(folder, tmp_path)
    assert parts.equals(whole)
    assert whole["note_id"].is_sorted()


def test_a_shuffled_mimic4_gives_the_same_bytes(tmp_path):
    notes = [
        f'"n{row}",1,{(10, 11, 20, 21)[row % 4]},{"AD" if row % 5 else "DS"},{row % 3},'
        f'2108-05-{row % 9 + 1:02d} 00:00:00,,"text {row}"'
        for row in range(40)
    ]
    codes = [f"1,{(10, 11, 20, 21)[row % 4]},{row % 5},I{row % 13 + 10},10" for row in range(60)]
    first = hospital_4(tmp_path / "a", notes, codes)
    second = hospital_4(tmp_path / "b", notes[::-1], codes[::-1])
    assert _digest(first, tmp_path, "mimic4", edition="icd10") == _digest(
        second, tmp_path, "mimic4", edition="icd10"
    )


def test_a_shuffled_table_gives_the_same_bytes(tmp_path):
    header = "note_id,patient_id,text,codes,sex\n"
    rows = [f"{n % 20},{n % 4},text {n % 20},I{n % 7 + 10};E11,{'FM'[n % 2]}\n" for n in range(80)]
    draw = random.Random(1)
    digests = []
    for number in range(3):
        path = tmp_path / f"{number}.csv"
        path.write_text(header + "".join(draw.sample(rows, len(rows))))
        digests.append(_digest(path, tmp_path, "table", edition="icd10"))
    assert digests[0] == digests[1] == digests[2]


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["1", "2", "3"]),
            st.sampled_from(["0117", "117", "3893", "", None, " 0117"]),
            st.one_of(st.none(), st.integers(1, 5)),
        ),
        max_size=30,
    ),
    st.randoms(use_true_random=False),
)
def test_label_sets_do_not_depend_on_row_order(rows, draw):
    schema = {"note_id": pl.String, "code": pl.String, "sequence": pl.Float64}
    first = label_rows(pl.DataFrame(rows, schema=schema, orient="row"), "icd9cm", "procedure")
    mixed = draw.sample(rows, len(rows))
    second = label_rows(pl.DataFrame(mixed, schema=schema, orient="row"), "icd9cm", "procedure")
    assert first[0].equals(second[0])
    assert first[1] == second[1]
    labels, counts = first
    assert labels.select("note_id", "code").is_unique().all()
    lost = counts["procedure_without_code"] + counts["procedure_repeated"]
    assert labels.height == len(rows) - lost
