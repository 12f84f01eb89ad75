"""What a schema cannot say of corpus, split and terminology."""

from pathlib import Path
from typing import Any

from longtail_icd.common.errors import UserError


def check_paths(config: dict[str, Any]) -> None:
    corpus = config["corpus"]
    paths = {
        "corpus.path": corpus["path"],
        "corpus.label_file": corpus["label_file"],
        "corpus.code_list": corpus["code_list"],
        "corpus.split.ids": corpus["split"]["ids"],
    }
    for key, path in paths.items():
        if path is not None and not Path(path).exists():
            fetch = "; `snakemake fetch_codiesp` downloads CodiEsp to resources/codiesp"
            hint = fetch if key == "corpus.path" and corpus["adapter"] == "codiesp" else ""
            raise UserError(f"configuration: {key}: {path}: no such file or folder{hint}")
    if corpus["adapter"] == "codiesp" and corpus["path"] is None:
        raise UserError(
            "configuration: corpus.path: the codiesp adapter needs the folder of the corpus; "
            "`snakemake fetch_codiesp` downloads it to resources/codiesp"
        )
    if corpus["adapter"] == "table" and corpus["path"] is None:
        raise UserError("configuration: corpus.path: the table adapter needs its table")
    layout = corpus["simulation"]["layout"]
    if corpus["path"] is None and corpus["adapter"] in {"mimic3", "mimic4"} - {layout}:
        raise UserError(
            f"configuration: corpus.path: the {corpus['adapter']} adapter needs the folder of its "
            f"tables; a simulated hospital (null) has those of corpus.simulation.layout: {layout}"
        )
    if corpus["adapter"] == "mimic4" and corpus["edition"] is None:
        raise UserError(
            "configuration: corpus.edition: MIMIC-IV holds two corpora: choose icd9 or icd10"
        )
    listed = corpus["labels"]["rules"] == "mullenbach_50"
    if listed and corpus["code_list"] is None and not corpus["labels"]["recount"]:
        raise UserError(
            "configuration: corpus.code_list: the rules mullenbach_50 need the published list of "
            "codes (docs/data.md); labels.recount: true counts again and gives another list"
        )
    if corpus["code_list"] is not None and not listed:
        raise UserError(
            "configuration: corpus.code_list: only labels.rules: mullenbach_50 reads it"
        )
    if corpus["label_space"] == "file" and corpus["label_file"] is None:
        raise UserError("configuration: corpus.label_file: label_space: file needs a file")


def check_split(config: dict[str, Any]) -> None:
    """Require that an official split has a source and any other leaves something to train on."""
    corpus, split = config["corpus"], config["corpus"]["split"]
    own = not corpus["adapter"].startswith("mimic")
    listed = split["ids"] is not None or split["download"]["split"] is not None
    if split["method"] == "official" and not own and not listed:
        raise UserError(
            "configuration: corpus.split.ids: split.method: official needs the folder with "
            "the id files of the split, or corpus.split.download (docs/data.md)"
        )
    if split["method"] != "official" and split["dev"] + split["test"] >= 1:
        raise UserError(
            "configuration: corpus.split: dev + test must be less than 1; the rest is train"
        )


def check_terminology(config: dict[str, Any]) -> None:
    """Check that a source of synonyms has the user's file that it reads, and a file its source."""
    terminology = config["terminology"]
    sources = {"index_term": "index", "umls": "umls", "d_icd": "d_icd"}
    for source, key in sources.items():
        if source in terminology["synonyms"] and terminology[key] is None:
            raise UserError(
                f"configuration: terminology.{key}: the source {source} of terminology.synonyms "
                "needs a path (docs/terminology.md)"
            )
    for source, key in (("index_term", "index"), ("umls", "umls")):
        if terminology[key] is not None and source not in terminology["synonyms"]:
            raise UserError(
                f"configuration: terminology.{key}: nothing reads it; add {source} to "
                "terminology.synonyms, or set it to null"
            )
    for key in ("headings", "index", "umls"):
        path = terminology[key]
        if path is not None and not Path(path).is_file():
            raise UserError(f"configuration: terminology.{key}: {path}: no such file")
    folder = terminology["d_icd"]
    if folder not in (None, "corpus") and not Path(folder).is_dir():
        raise UserError(f"configuration: terminology.d_icd: {folder}: no such folder")
    if folder == "corpus" and not config["corpus"]["adapter"].startswith("mimic"):
        raise UserError(
            "configuration: terminology.d_icd: corpus: only MIMIC's folder holds the tables D_ICD_*"
        )
