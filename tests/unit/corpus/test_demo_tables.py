"""The embedded demo's hospital stays what it is: results made with it are published."""

import gzip
import hashlib
from pathlib import Path

import pytest
import yaml
from longtail_icd.corpus.simulator.simulation import simulate

ROOT = Path(__file__).parents[3]
# SHA-256 of each table's uncompressed content, taken when the README's results were made.
PUBLISHED = {
    "ADMISSIONS": "4648dd6bc0aa03a853051da6a8bf5dd44c70daef0e8b238df6a6dde19cad9d90",
    "DIAGNOSES_ICD": "e4ade9ab56a73e97331d5da01b41ade80b37c8fa45b8651cc78a9faf2cf48fb3",
    "D_ICD_DIAGNOSES": "a83e6f10eaa265bbf275b38f10942d72f3e360c974d03da12d201f2df5aa5ef6",
    "D_ICD_PROCEDURES": "c34f93fcbe84090eac7e85b7b64adb37a287b3e7d0029da2ed13ae6dc6d39037",
    "NOTEEVENTS": "0d13ea4aee33a1a4a9279843b1e9081f432eee4e4834309a4349f906a16bc501",
    "PATIENTS": "7506a845d52ec1fb26dfb80137314ece94f137e01e1070ee4073942da17f2655",
    "PROCEDURES_ICD": "6e6af49f074f6026cc18afbd3d7bfd89e421c7289f0b5845afe672432094b2a2",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    config = yaml.safe_load((ROOT / "config" / "config.yaml").read_text(encoding="utf-8"))
    resources = ROOT / "resources"
    made = tmp_path_factory.mktemp("hospital")
    simulate(
        config["corpus"]["simulation"],
        resources / "icd9_ranges.csv",
        resources / "hospital_prose.yaml",
        made,
    )
    return made


@pytest.mark.parametrize("table", PUBLISHED)
def test_the_demo_has_the_tables_its_published_results_were_made_with(folder, table):
    content = gzip.decompress((folder / f"{table}.csv.gz").read_bytes())
    assert hashlib.sha256(content).hexdigest() == PUBLISHED[table]
