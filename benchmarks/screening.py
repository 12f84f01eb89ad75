"""Benchmark of the screening: notes per second, and CodiEsp's gold codes missed and added.

Throughput: made-up notes of real length that name codes all the time, a label space of ICD-9-CM,
every check on. `learn_s` is spent once, `load_s` by the job of every shard, each in a process of
its own, imports included; `notes_per_s` and `train_notes_per_s` are by CPU time.
Fidelity (needs CodiEsp, see --codiesp): diagnoses of the test documents.
`missing`: a document is given its gold codes and as many that are not its own; those should be
called missing, the gold ones not. `extra`: it is given half of its gold codes; diseases among the
other half should be found, by category, and nothing else. Real notes rest on more than wordings,
so neither can be near 1.
"""

import argparse
import os
import random
import sys
import tempfile
import time
from pathlib import Path

from measure import measured, report

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT / "workflow" / "scripts")]
SOURCES = [
    "official",
    "short_title",
    "icd10_title",
    "alternative_title",
    "inclusion_term",
    "inherited_term",
]
LISTS = ROOT / "resources" / "screening"
EVERYTHING = {
    "min_words": 30,
    "max_words": 4000,
    "max_source_overlap": 0.5,
    "declined": 0,
    "artefacts": 0,
    "placeholders": 0,
    "code_numerals": 0,
    "cut": 0,
    "verbatim": 1.0,
    "missing_code": 1.0,
    "extra_code": 1000,
    "memorised": 1.0,
    "length": 1000.0,
    "style": 1000.0,
}


def terminology(versions):
    from longtail_icd.terminology.synonyms import extract_synonyms  # noqa: PLC0415
    from longtail_icd.terminology.taxonomy import extract_taxonomy  # noqa: PLC0415

    codes = extract_taxonomy(versions, ROOT / "resources" / "icd9_ranges.csv")
    return codes, extract_synonyms(codes, SOURCES, {})


def fidelity_of(space, codes, synonyms):
    from longtail_icd.generation.screening.fidelity import Fidelity  # noqa: PLC0415
    from longtail_icd.generation.screening.loose import load_equivalents  # noqa: PLC0415
    from longtail_icd.generation.screening.status import load_rules  # noqa: PLC0415
    from longtail_icd.generation.screening.terms import Terms  # noqa: PLC0415

    return Fidelity(
        load_rules(LISTS / "context_rules.yaml"),
        Terms(space, codes, synonyms),
        load_equivalents(LISTS / "equivalents.yaml"),
    )


def request_of(codes, taxonomy, synonyms):
    from longtail_icd.generation.requests import Request  # noqa: PLC0415

    knowledge = [
        {
            "code": code,
            "role": "companion" if at else "anchor",
            "kind": "diagnosis",
            "title": taxonomy[code],
            "wording": taxonomy[code],
            "style": "synonym",
            "synonyms": synonyms.get(code, []),
        }
        for at, code in enumerate(codes)
    ]
    return Request("r", codes[0], sorted(codes), [], None, "", "", knowledge, 1, "public", False)


def draft_of(text):
    from longtail_icd.generation.requests import Draft  # noqa: PLC0415

    return Draft("r", text, None, None, True, "stop", "m", 0, 0, 1, None)


def dictionaries(codes, synonyms):
    said = synonyms.group_by("code").agg("synonym")
    return dict(codes.select("code", "title").iter_rows()), dict(said.iter_rows())


def made_up_note(words, wordings, generator):
    parts, count = [], 0
    while count < words:
        said = wordings[int(generator.random() * len(wordings))]
        parts.append(f"On day {count % 9} he was seen with {said}, BP {100 + count % 60}/70. ")
        count += len(parts[-1].split())
    return "".join(parts)


def keep_tables(folder, size):
    """Write what a shard's job reads beside the facts; return files by name, and wordings."""
    import polars as pl  # noqa: PLC0415
    from longtail_icd.common.tables import write_table  # noqa: PLC0415

    codes, synonyms = terminology(["icd9cm"])
    space = (
        codes.filter(pl.col("is_leaf"))
        .sample(size, seed=1)
        .select("version", "code", "kind", n_train=pl.lit(1, pl.Int64), tier=pl.lit("tail"))
    )
    tables = {
        "tiers": ("plan/tiers", space),
        "codes": ("terminology/codes", codes),
        "synonyms": ("terminology/synonyms", synonyms),
    }
    lists = {"triggers": "context_rules", "equivalents": "equivalents"}
    files = {name: f"{folder}/{name}.parquet" for name in tables}
    for name, (table, frame) in tables.items():
        write_table(frame, files[name], table)
    files |= {name: f"{LISTS}/{one}.yaml" for name, one in lists.items()}
    said = synonyms.join(space, on=["version", "code"], how="semi")["synonym"]
    return files | {"facts": f"{folder}/facts"}, said.to_list()


def learn(files, wordings, notes, words):
    """Learn made-up train notes as rule `learn_train_facts` does; making them up counts too."""
    from longtail_icd.generation.screening.facts import learn_facts, save_facts  # noqa: PLC0415
    from longtail_icd.generation.screening.load import load_fidelity  # noqa: PLC0415

    generator = random.Random(1)
    train = ((made_up_note(words, wordings, generator), []) for _ in range(notes))
    save_facts(learn_facts(train, load_fidelity(files)), files["facts"])


def load(files):
    """Load what a shard's job needs of the train notes."""
    from longtail_icd.generation.screening.facts import load_facts  # noqa: PLC0415
    from longtail_icd.generation.screening.load import load_fidelity  # noqa: PLC0415

    return load_facts(files["facts"], load_fidelity(files))


def assess(files, wordings, notes, words):
    """Return the CPU seconds of assessing made-up notes with the facts as they are kept."""
    from longtail_icd.common.tables import read_table  # noqa: PLC0415
    from longtail_icd.generation.screening.context import ScreenContext  # noqa: PLC0415
    from longtail_icd.generation.screening.screen import make_screen  # noqa: PLC0415

    generator = random.Random(2)
    tables = [read_table(files[one], f"terminology/{one}") for one in ("codes", "synonyms")]
    titles, said = dictionaries(*tables)
    space = read_table(files["tiers"], "plan/tiers")["code"].to_list()
    sets = [random.Random(at).sample(space, 15) for at in range(notes)]
    requests = [request_of(codes, titles, said) for codes in sets]
    drafts = [draft_of(made_up_note(words, wordings, generator)) for _ in range(notes)]
    screen = make_screen(EVERYTHING, ScreenContext(train=load(files)))
    begun = time.process_time()
    for request, draft in zip(requests, drafts, strict=True):
        screen.assess(request, draft)
    return time.process_time() - begun


def throughput(notes, words, size, train_notes):
    """Return the figures of learning once, of loading in every shard's job, and of assessing."""
    with tempfile.TemporaryDirectory() as folder:
        (files, wordings), _ = measured(lambda: keep_tables(folder, size))
        _, learning = measured(lambda: learn(files, wordings, train_notes, words))
        _, loading = measured(lambda: load(files) and None)
        assess_s, ours = measured(lambda: assess(files, wordings, notes, words))
    return {
        **ours,
        "notes_per_s": round(notes / assess_s),
        "train_notes": train_notes,
        "train_notes_per_s": round(train_notes / learning["cpu_s"]),
        "learn_s": learning["wall_s"],
        "learn_rss_mb": learning["peak_rss_mb"],
        "load_s": loading["wall_s"],
        "load_cpu_s": loading["cpu_s"],
        "load_rss_mb": loading["peak_rss_mb"],
    }


class Counts:
    """True and false positives, and what there was to find."""

    def __init__(self):
        self.right = self.wrong = self.wanted = 0

    def add(self, found, wanted):
        """Count what was found against what there was."""
        self.right += len(found & wanted)
        self.wrong += len(found - wanted)
        self.wanted += len(wanted)

    def figures(self, name):
        """Return precision and recall."""
        return {
            f"{name}_precision": round(self.right / max(self.right + self.wrong, 1), 3),
            f"{name}_recall": round(self.right / max(self.wanted, 1), 3),
        }


def codiesp(folder):
    """Return the figures of missing and extra codes on CodiEsp's test documents."""
    import polars as pl  # noqa: PLC0415
    from longtail_icd.corpus.prepare import prepare  # noqa: PLC0415
    from longtail_icd.generation.screening.facts import learn_facts, train_notes  # noqa: PLC0415
    from longtail_icd.generation.screening.terms import is_condition  # noqa: PLC0415
    from longtail_icd.plan.tiers import stratify  # noqa: PLC0415
    from longtail_icd.terminology.lookup import with_unknown  # noqa: PLC0415

    with tempfile.TemporaryDirectory() as work:
        paths = [f"{work}/notes.parquet", f"{work}/labels.parquet"]
        prepare(folder, *paths, adapter="codiesp", kinds=["diagnosis"])
        notes, labels = (pl.read_parquet(path) for path in paths)
    taxonomy, synonyms = terminology(["icd10cm"])
    taxonomy = with_unknown(taxonomy, labels)
    train = notes.filter(official_split="train").drop("official_split")
    of_train = labels.join(train, on="note_id", how="semi")
    tiers = stratify(
        labels.select("version", "code", "kind").unique(),
        of_train,
        {"head": 50, "medium": 20, "tail": 5},
    )
    fidelity = fidelity_of(tiers, taxonomy, synonyms)
    learn_facts(train_notes(train.lazy(), of_train.lazy()), fidelity)
    titles, said = dictionaries(taxonomy, synonyms)
    gold_of = dict(labels.group_by("note_id", maintain_order=True).agg("code").iter_rows())
    space, place = tiers["code"].to_list(), fidelity.terms.category
    missing, extra = Counts(), Counts()
    for note_id, text in notes.filter(official_split="test").select("note_id", "text").iter_rows():
        gold, generator = sorted(gold_of.get(note_id, [])), random.Random(note_id)
        if len(gold) < 2:
            continue
        own = {place[code] for code in gold}
        foreign = [code for code in space if place[code] not in own]
        absent = generator.sample(foreign, len(gold))
        reading = fidelity.read(text)
        asked = request_of([*gold, *absent], titles, said).knowledge
        findings = [fidelity.find(known, [], reading) for known in asked]
        lost = {one.known["code"] for one in findings if one.verdict != "stated"}
        missing.add(lost, set(absent))
        given = generator.sample(gold, len(gold) // 2)
        covered = [span for one in findings if one.known["code"] in given for span in one.places]
        found = fidelity.extra(given, covered, reading)
        kept = {place[code] for code in given}
        hidden = {place[code] for code in gold if is_condition(code, "diagnosis")} - kept
        extra.add({place[code] for code in found}, hidden)
    return missing.figures("missing") | extra.figures("extra")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--notes", type=int, default=200)
    parser.add_argument("--words", type=int, default=1400)
    parser.add_argument("--codes", type=int, default=8929)
    parser.add_argument("--train-notes", type=int, default=200, help="MIMIC-III has 47723")
    parser.add_argument("--codiesp", default=os.environ.get("LONGTAIL_ICD_TEST_DATA"))
    arguments = parser.parse_args()
    figures = throughput(arguments.notes, arguments.words, arguments.codes, arguments.train_notes)
    if arguments.codiesp:
        fidelity, _ = measured(lambda: codiesp(Path(arguments.codiesp) / "codiesp"))
        figures |= fidelity
    report(stage="screening", **figures)


if __name__ == "__main__":
    main()
