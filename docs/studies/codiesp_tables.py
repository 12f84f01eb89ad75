"""Print the figures of docs/studies/codiesp.md, sections 9 and 10, from the study's results.

.venv/bin/python docs/studies/codiesp_tables.py results/codiesp_study [--texts]

With --texts, what the twenty notes say as well: for reading them, not for a file.
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
TABLES = ("metrics", "averages", "ensembles", "comparisons", "breakdown", "changed_labels")


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


def recall_by_wording(results: Path, metrics: pl.DataFrame, wordings: Wordings) -> str:
    """Show the share of test labels found, by whether a note words them as the terminology does.

    Args:
        results: the study's folder.
        metrics: table `evaluation/metrics`; its runs are shown.
        wordings: of the test notes.
    """
    labels = read_table(results / "corpus/labels/test.parquet", "corpus/labels").select(PLACE)
    tiers = read_table(results / "plan/tiers.parquet", "plan/tiers").select("code", "tier")
    named = [bool(wordings.in_note(*place)) for place in labels.select(PLACE).iter_rows()]
    gold = labels.with_columns(named=pl.Series(named)).join(tiers, on="code")
    shares = []
    runs = metrics.select("model", "train_set", "seed").unique(maintain_order=True)
    for model, train_set, seed in runs.iter_rows():
        run = results / "evaluation" / model / train_set / f"seed{seed}"
        scores = read_scores(run / "scores/test.safetensors")
        cut = read_json(run / "threshold.json")["logit_threshold"]
        given = codes_given(scores, decide(scores.logits, cut)).with_columns(found=True)
        both = gold.join(given, on=PLACE, how="left").with_columns(pl.col("found").fill_null(False))
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


def main(results: Path, with_texts: bool) -> None:
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
    print(recall_by_wording(results, tables["metrics"], wordings))
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
        main(Path(sys.argv[1]), "--texts" in sys.argv)
    except UserError as error:
        sys.exit(f"error: {error}")
