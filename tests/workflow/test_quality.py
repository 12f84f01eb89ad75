"""Gallery and review in the workflow: made by their targets, closed where the corpus is."""

import csv
import stat

import yaml


def test_review_keeps_its_key_where_reviewers_do_not_look(changeable):
    changeable.snakemake("generation", "review")
    assert changeable.result("generation/paper/gallery/index.html").is_file()
    folder = changeable.result("generation/paper/review")
    assert sorted(path.name for path in folder.iterdir()) == ["index.html", "sheet.csv"]
    key = changeable.result("generation/paper/restricted/review_key.csv")
    with key.open(encoding="utf-8", newline="") as stream:
        assert len(list(csv.DictReader(stream))) == 10
    assert stat.S_IMODE(key.parent.stat().st_mode) == 0o700


def test_pages_of_a_credentialed_corpus_lie_in_the_restricted_folder(finished, tmp_path):
    overlay = tmp_path / "own.yaml"
    hospital = str(finished.result("corpus/hospital"))
    overlay.write_text(yaml.safe_dump({"corpus": {"name": "own", "path": hospital}}))
    planned = finished.snakemake(
        *("generation", "review", "--dry-run"),
        *("--configfile", "tests/config/tiny.yaml", str(overlay)),
    )
    folder = "results/own/generation/paper"
    for page in ("gallery/index.html", "review/index.html", "review/sheet.csv"):
        assert f"{folder}/restricted/{page}" in planned
        assert f"{folder}/{page}" not in planned
