"""The terminology of the demo's code system with the sources of the demo's configuration."""

from functools import cache
from pathlib import Path

import polars as pl
import yaml
from longtail_icd.terminology.synonyms import extract_synonyms
from longtail_icd.terminology.taxonomy import extract_taxonomy

ROOT = Path(__file__).parents[1]
RANGES = ROOT / "resources" / "icd9_ranges.csv"
SOURCES = yaml.safe_load((ROOT / "config" / "config.yaml").read_text())["terminology"]["synonyms"]


@cache
def taxonomy(*versions: str) -> pl.DataFrame:
    return extract_taxonomy(versions, RANGES)


@cache
def synonyms(*versions: str) -> pl.DataFrame:
    return extract_synonyms(taxonomy(*versions), SOURCES, {})
