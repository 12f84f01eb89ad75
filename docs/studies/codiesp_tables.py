"""Print the figures of docs/studies/codiesp.md, sections 9 and 10, from the study's results.

.venv/bin/python docs/studies/codiesp_tables.py results/codiesp_study [OTHER ...] [--texts]

OTHER: results under other label spaces, to compare with the study's. With --texts, what the twenty
notes say as well: for reading them, not for a file.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

import polars as pl

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "workflow" / "scripts"))

from longtail_icd.common.errors import UserError  # noqa: E402
from longtail_icd.common.files import read_json  # noqa: E402
from longtail_icd.common.tables import read_table  # noqa: E402
from longtail_icd.evaluation.changes import PLACE, codes_given  # noqa: E402
from longtail_icd.evaluation.metrics import decide  # noqa: E402
from longtail_icd.evaluation.scores import read_scores  # noqa: E402
from longtail_icd.generation.screening.words import Words, phrase_of  # noqa: E402
from longtail_icd.report.families import family_confusion  # noqa: E402
from longtail_icd.report.glossary import ALL_CODES, POOLED_F1  # noqa: E402
from longtail_icd.report.numbers import excludes_zero, interval, points, signed_points  # noqa: E402

BASELINE, ARM, PAPER = "original_equal_steps", "planned", "extended"
TIERS = ("few_shot", "zero_shot")
SHOWN = [
    *((POOLED_F1, tier) for tier in (*TIERS, ALL_CODES)),
    ("map", ALL_CODES),
    *((f"macro_f1_{kind}", ALL_CODES) for kind in ("all_codes", "harmonic", "test_codes")),
]
GUARD = -0.01  # micro-F1 over all codes: no loss
CLAIMS = {  # in their order; of each the train sets to be above
    "notes help": (BASELINE, "original"),
    "it is what they say": ("permuted", "repeated"),
    "it is more than a dictionary": ("description",),
}
CASES = 10  # gained, and lost
TABLES = ("averages", "ensembles", "comparisons", "breakdown", "changed_labels")


def markdown(heads: list[str], rows: list[list[str]]) -> str:
    """Return a Markdown table."""
    return "\n".join(f"| {' | '.join(row)} |" for row in (heads, ["---"] * len(heads), *rows))


def arms(averages: pl.DataFrame) -> str:
    """Show what each train set reaches (section 9): points, intervals of 95 %.

    Args:
        averages: table `evaluation/averages` or `evaluation/ensembles`.
    """
    rows = []
    for arm in averages["train_set"].unique(maintain_order=True):
        cells = [
            averages.filter(train_set=arm, metric=m, tier=t).row(0, named=True) for m, t in SHOWN
        ]
        values = [f"{points(c['value'])} {interval(c['ci_low'], c['ci_high'])}" for c in cells]
        rows.append([f"`{arm}`", *values])
    return markdown(["arm", *(f"{metric} {tier}" for metric, tier in SHOWN)], rows)


def difference(row: dict) -> str:
    """Write a row of `evaluation/comparisons` as points with its interval."""
    return f"{signed_points(row['delta'])} {interval(row['ci_low'], row['ci_high'], signed=True)}"


def differences(comparisons: pl.DataFrame) -> str:
    """Show every comparison (section 9), and the smallest difference it had an 80 % chance to show.

    Args:
        comparisons: table `evaluation/comparisons`.
    """
    rows = []
    for pair in comparisons.select("baseline", "against").unique(maintain_order=True).rows():
        part = comparisons.filter(baseline=pair[0], against=pair[1])
        cells = [part.filter(metric=m, tier=t).row(0, named=True) for m, t in SHOWN[:4]]
        detectable = (points(cell["smallest_detectable"]) for cell in cells)
        rows.append([" → ".join(pair), *map(difference, cells), " / ".join(detectable)])
    heads = [f"{metric} {tier}" for metric, tier in SHOWN[:4]]
    return markdown(["baseline → against", *heads, "smallest detectable"], rows)


def claims(comparisons: pl.DataFrame, arm: str) -> Iterator[str]:
    """Yield the verdict on each claim about an arm, in their order, up to the first that falls.

    A claim holds if all its intervals lie above zero, and the first also needs no loss in micro-F1
    over all codes against the baseline.

    Args:
        comparisons: table `evaluation/comparisons`.
        arm: a train set.
    """
    for claim, baselines in CLAIMS.items():
        holds = True
        for baseline in baselines:
            part = comparisons.filter(baseline=baseline, against=arm, metric=POOLED_F1)
            if part.is_empty():
                yield f"- {claim}: {arm} was not compared with {baseline}"
                return
            for tier in TIERS:
                row = part.filter(tier=tier).row(0, named=True)
                holds &= row["delta"] > 0 and bool(excludes_zero(row["ci_low"], row["ci_high"]))
                yield f"  - {arm} against {baseline}, {tier}: {difference(row)}"
            if baseline == BASELINE:
                row = part.filter(tier=ALL_CODES).row(0, named=True)
                holds &= row["ci_low"] > GUARD
                yield f"  - {arm} against {baseline}, all codes: {difference(row)}"
        yield f"- {claim}: {'holds' if holds else 'does not hold'}"
        if not holds:
            return


def chapters(breakdown: pl.DataFrame) -> str:
    """Show micro-F1 by chapter of the classification (section 10), means over seeds.

    Args:
        breakdown: table `evaluation/breakdown`.
    """
    means = (
        breakdown.filter(family="chapter", metric=POOLED_F1)
        .group_by("train_set", "group")
        .agg(pl.col("value").mean(), pl.col("support", "codes").first())
    )
    sides = [means.filter(train_set=side).drop("train_set") for side in (BASELINE, ARM)]
    both = sides[0].join(sides[1].select("group", against="value"), on="group")
    rows = [
        [group, str(support), points(value), points(against), signed_points(against - value)]
        for group, value, support, _, against in both.sort("support", descending=True).rows()
    ]
    return markdown(["chapter", "labels", BASELINE, ARM, "difference"], rows)


def families(codes: pl.DataFrame) -> str:
    """Count missed labels of codes with siblings, and those with a sibling instead (section 10).

    Args:
        codes: table `report/codes`.
    """
    sums = family_confusion(codes).filter(tier=ALL_CODES).sort("train_set")
    rows = [
        [f"`{name}`", str(labels), f"{missed:.0f}", f"{mistaken:.0f} ({mistaken / missed:.1%})"]
        for name, labels, missed, mistaken in sums.drop("model", "tier").rows()
    ]
    return markdown(["arm", "labels", "missed", "a sibling in its place"], rows)


class Wordings:
    """Title and synonyms of each code, and which of them stand in a note word for word.

    Args:
        titles: table `terminology/codes`.
        synonyms: table `terminology/synonyms`.
        texts: text by note id.
    """

    def __init__(self, titles: pl.DataFrame, synonyms: pl.DataFrame, texts: dict[str, str]):
        said = pl.concat(
            [titles.select("code", wording="title"), synonyms.select("code", wording="synonym")]
        )
        self.titles = dict(titles.select("code", "title").iter_rows())
        self.wordings = dict(
            said.group_by("code").agg(pl.col("wording").unique().sort()).iter_rows()
        )
        self.joined = {note: Words(text).joined for note, text in texts.items()}

    def in_note(self, note_id: str, code: str) -> list[str]:
        """Return the code's wordings that stand in a note, but for case, plural and punctuation."""
        phrases = ((wording, phrase_of(wording)) for wording in self.wordings.get(code, ()))
        text = self.joined[note_id]
        return [wording for wording, phrase in phrases if phrase and phrase in text]


def codes_by_run(results: Path) -> Iterator[tuple[str, list[str], pl.DataFrame]]:
    """Yield train set, label space and the codes given to each test note, of each run in the table.

    Args:
        results: a study's folder.
    """
    evaluation = results / "evaluation"
    metrics = read_table(evaluation / "metrics.parquet", "evaluation/metrics")
    runs = metrics.select("model", "train_set", "seed").unique(maintain_order=True)
    for model, train_set, seed in runs.iter_rows():
        run = evaluation / model / train_set / f"seed{seed}"
        scores = read_scores(run / "scores/test.safetensors")
        cut = read_json(run / "threshold.json")["logit_threshold"]
        yield train_set, scores.codes, codes_given(scores, decide(scores.logits, cut))


def reached(gold: pl.DataFrame, given: pl.DataFrame) -> dict[str, float]:
    """Return what a run reaches over all test labels: one outside its label space is missed.

    Args:
        gold: note_id, code and tier of every test label, in the widest label space.
        given: note_id and code of what the run gave.
    """
    hits = gold.join(given, on=PLACE, how="semi")
    few = gold.filter(tier="few_shot")
    return {
        "micro_f1": 2 * hits.height / (gold.height + given.height),
        "recall_few_shot": hits.filter(tier="few_shot").height / few.height,
        "unseen_found": hits.filter(tier="zero_shot").height,
    }


def label_spaces(folders: list[Path], gold: pl.DataFrame) -> str:
    """Compare label spaces (section 9) by what no label space can hide, means over seeds.

    Args:
        folders: of results; the test documents are the same.
        gold: see :func:`reached`.
    """
    unseen = gold.filter(tier="zero_shot")
    rows = []
    for folder in folders:
        for train_set, codes, given in codes_by_run(folder):
            inside = unseen.filter(pl.col("code").is_in(codes)).height
            names = {"folder": folder.name, "train_set": train_set, "codes": len(codes)}
            rows.append({**names, "unseen_inside": inside, **reached(gold, given)})
    keys = ["folder", "train_set", "codes", "unseen_inside"]
    means = pl.DataFrame(rows).group_by(keys, maintain_order=True).mean()
    shown = [
        [folder, f"`{arm}`", str(codes), points(f1), points(few), f"{found:.0f} of {inside}"]
        for folder, arm, codes, inside, f1, few, found in means.rows()
    ]
    heads = ["results", "arm", "codes", "micro-F1, all labels", "few_shot labels found"]
    return markdown([*heads, f"unseen labels found, of {unseen.height}"], shown)


def recall_by_wording(results: Path, gold: pl.DataFrame, wordings: Wordings) -> str:
    """Show the share of test labels found, by whether a note words them as the terminology does.

    Args:
        results: the study's folder.
        gold: see :func:`reached`.
        wordings: of the test notes.
    """
    named = [bool(wordings.in_note(*place)) for place in gold.select(PLACE).iter_rows()]
    gold = gold.with_columns(named=pl.Series(named))
    shares = []
    for train_set, _, given in codes_by_run(results):
        found = given.with_columns(found=True)
        both = gold.join(found, on=PLACE, how="left").with_columns(pl.col("found").fill_null(False))
        share = both.group_by("tier", "named").agg(pl.len(), pl.col("found").mean())
        shares.append(share.with_columns(train_set=pl.lit(train_set)))
    means = (
        pl.concat(shares).group_by("tier", "named", "len", "train_set").agg(pl.col("found").mean())
    )
    wide = means.sort("train_set").pivot(
        "train_set", index=["tier", "named", "len"], values="found"
    )
    wide = wide.sort("tier", "named", descending=[False, True])
    rows = [
        [tier, "yes" if said else "no", str(n), *map(points, found)]
        for tier, said, n, *found in wide.rows()
    ]
    return markdown(["tier", "worded so", "labels", *wide.columns[3:]], rows)


def cases(changed: pl.DataFrame) -> Iterator[tuple[str, dict]]:
    """Yield the twenty cases of section 10: coders' labels found in most seeds more, and fewer.

    Args:
        changed: table `evaluation/changed_labels`.
    """
    of_coders = changed.filter("gold", baseline=BASELINE, against=ARM).with_columns(
        more=pl.col("against_seeds") - pl.col("baseline_seeds")
    )
    more = pl.col("more")
    for name, part, falling in (("gained", more > 0, True), ("lost", more < 0, False)):
        order = of_coders.filter(part).sort("more", *PLACE, descending=[falling, False, False])
        yield from ((name, row) for row in order.head(CASES).iter_rows(named=True))


def main(results: Path, others: list[Path], with_texts: bool) -> None:
    """Print every table."""
    evaluation = results / "evaluation"
    tables = {
        name: read_table(evaluation / f"{name}.parquet", f"evaluation/{name}") for name in TABLES
    }
    notes = pl.read_parquet(results / "corpus/notes/test.parquet", columns=["note_id", "text"])
    texts = dict(notes.iter_rows())
    terminology = (
        read_table(results / f"terminology/{name}.parquet", f"terminology/{name}")
        for name in ("codes", "synonyms")
    )
    wordings = Wordings(*terminology, texts)
    print(arms(tables["averages"]))
    print(arms(tables["ensembles"]))
    print(differences(tables["comparisons"]))
    for arm in (ARM, PAPER):
        print(*claims(tables["comparisons"], arm), sep="\n")
    print(chapters(tables["breakdown"]))
    print(families(read_table(results / "report/codes.parquet", "report/codes")))
    labels = read_table(results / "corpus/labels/test.parquet", "corpus/labels").select(PLACE)
    tiers = read_table(results / "plan/tiers.parquet", "plan/tiers").select("code", "tier")
    gold = labels.join(tiers, on="code")
    print(recall_by_wording(results, gold, wordings))
    if others:
        print(label_spaces([results, *others], gold))
    for name, row in cases(tables["changed_labels"]):
        said = "; ".join(wordings.in_note(row["note_id"], row["code"])) or "no wording of it"
        seeds = f"{row['baseline_seeds']} → {row['against_seeds']}"
        title = wordings.titles[row["code"]]
        print(f"{name}: {row['note_id']} {row['code']} {title} ({row['tier']}), {seeds}; {said}")
        if with_texts:
            print(texts[row["note_id"]])


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    try:
        results, *others = (Path(name) for name in sys.argv[1:] if name != "--texts")
        main(results, others, "--texts" in sys.argv)
    except UserError as error:
        sys.exit(f"error: {error}")
