"""The taxonomy: every node of the code systems, headings included, with its title and place.

| version | chapter | block | category |
| --- | --- | --- | --- |
| icd9cm diagnosis | range of categories | range of categories | 3 characters; E codes 4 |
| icd9cm procedure | range of categories | the chapter | 2 digits |
| icd10cm | number | range of categories | 3 characters |
| icd10pcs | section (1 character) | body system (2) | table (3) |

Sources: CMS V32 titles; ranges in `resources/icd9_ranges.csv`; the CDC tabular list of April 2026
and the ICD-10-CM titles of fiscal year 2024 for codes deleted since; ICD-10-PCS 2024.
"""

from functools import partial
from pathlib import Path

import polars as pl

from longtail_icd.common.tables import TABLES
from longtail_icd.terminology.icd9cm import icd9cm_nodes
from longtail_icd.terminology.icd10 import icd10cm_nodes, icd10pcs_nodes

# Which code systems a corpus is coded in, by its adapter.
CODE_SYSTEMS_OF = {"mimic3": ["icd9cm"], "codiesp": ["icd10cm", "icd10pcs"]}

COLUMNS = list(TABLES["terminology/codes"].columns)


def extract_taxonomy(versions: list[str], ranges_path: str | Path) -> pl.DataFrame:
    """Return the table `terminology/codes` for code systems, sorted by version, kind and code.

    Every node is there once, its parent too, and every title is non-empty; ``title_source`` says
    where the title comes from: an official list (``cms_v32``, ``cdc_2026``, ``cms_2024``), the
    table of ranges (``ranges``), or the titles around the node (``unspecified_code``,
    ``common_words``, ``node_above``).
    """
    readers = {
        "icd9cm": partial(icd9cm_nodes, ranges_path),
        "icd10cm": icd10cm_nodes,
        "icd10pcs": icd10pcs_nodes,
    }
    parts = [readers[version]().select(COLUMNS) for version in versions]
    return pl.concat(parts).sort("version", "kind", "code")
