"""A simulation that dies while it writes leaves whole files or none."""

import gzip

import polars as pl
import pytest
from longtail_icd.corpus import mimic_tables
from longtail_icd.corpus.mimic_tables import mimic_table, write_hospital


def test_no_half_written_table(tmp_path, monkeypatch):
    codes = pl.DataFrame({"ICD9_CODE": ["0117"], "SHORT_TITLE": ["a"], "LONG_TITLE": ["b"]})
    tables = {name: mimic_table(codes, name) for name in ("D_ICD_DIAGNOSES", "D_ICD_PROCEDURES")}
    compress = gzip.compress

    def fail_on_the_second(data, **options):
        if (tmp_path / "D_ICD_DIAGNOSES.csv.gz").exists():
            raise OSError("no space left on device")
        return compress(data, **options)

    monkeypatch.setattr(mimic_tables.gzip, "compress", fail_on_the_second)
    with pytest.raises(OSError, match="no space"):
        write_hospital(tables, tmp_path)
    assert [one.name for one in tmp_path.iterdir()] == ["D_ICD_DIAGNOSES.csv.gz"]
    assert b"0117" in gzip.decompress((tmp_path / "D_ICD_DIAGNOSES.csv.gz").read_bytes())
