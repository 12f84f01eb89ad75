"""How like real code sets the planned ones are.

Every planned set is held against a real one: a train note with a code of the same tier and
chapter as the anchor; for a zero-shot anchor, which no train note has, with a few-shot code. Where
the anchors themselves would decide, their companions are compared alone. Train notes only.
"""

import numpy as np
import polars as pl
from scipy import sparse
from scipy.spatial.distance import jensenshannon

from longtail_icd.common.hashing import hash64
from longtail_icd.common.tables import TABLES
from longtail_icd.common.tiers import TIERS
from longtail_icd.plan.conflicts import REASONS
from longtail_icd.plan.measured_sets import Sets, measure, nearest_overlap
from longtail_icd.plan.set_features import LabelSpace, label_space
from longtail_icd.plan.two_sample import by_codes, by_features, cross_validated_auc

ALL = "all"
OFTEN = 5  # train notes of the pairs whose counts are correlated
_AUC_SETS = 2000  # of each side
_NEAREST_SETS = 1000  # of each side

# measure: the column of single sets that it is of, and how it sums it up.
_OF_SETS = {
    "codes_mean": ("codes", pl.Expr.mean),
    "codes_median": ("codes", pl.Expr.median),
    "head_codes": ("head", pl.Expr.mean),
    "pairs_unseen": ("unseen", pl.Expr.mean),
    "pairs_npmi": ("npmi_mean", pl.Expr.mean),
    **{f"conflict_{reason}": (reason, pl.Expr.mean) for reason in REASONS},
    "duplicates": ("duplicate", pl.Expr.mean),
    "copies": ("copy", pl.Expr.mean),
    "nearest_median": ("nearest", pl.Expr.median),
    "nearest_p95": ("nearest", lambda column: column.quantile(0.95, "linear")),
}


def _with_anchor(frame: pl.DataFrame, space: LabelSpace) -> pl.DataFrame:
    """Add of the column code, an anchor: its column as anchor, its tier and chapter."""
    known = space.codes.select("code", "tier", "chapter", anchor=pl.int_range(pl.len()))
    return frame.join(known, on="code", maintain_order="left").drop("code")


def _planned_sets(
    code_sets: pl.DataFrame,
    sources: pl.DataFrame,
    notes: sparse.csr_array,
    space: LabelSpace,
    conflicts: pl.DataFrame,
) -> Sets:
    requests = code_sets.filter(~pl.col("reserve")).sort("request_id").with_row_index("row")
    members = requests.select("row", code="codes").explode("code")
    whole = space.matrix(members, len(requests))
    anchors = requests.join(sources, on="source_note_id", how="left", maintain_order="left")
    about = _with_anchor(anchors.select("source", code="anchor"), space)
    return measure(about, whole, notes, space, conflicts, real=False)


def _real_anchors(planned: pl.DataFrame, mentions: pl.DataFrame, space: LabelSpace) -> pl.DataFrame:
    """Return every train note with each code of the tiers that planned sets are held against.

    In the order of a hash, which is as good as random.
    """
    wanted = planned["tier"].replace("zero_shot", "few_shot").unique()
    codes = space.codes.filter(pl.col("tier").is_in(wanted.implode()))
    rows = mentions.join(codes, on="code", how="semi").select("note_id", "code", "source").rows()
    ordered = sorted(rows, key=lambda row: hash64(f"{row[0]}|{row[1]}"))
    schema = {"note_id": pl.String, "code": pl.String, "source": pl.Int64}
    frame = pl.DataFrame(ordered, schema=schema, orient="row")
    return _with_anchor(frame.drop("note_id"), space)


def counterparts(planned: pl.DataFrame, real: pl.DataFrame) -> pl.Series:
    """Return per planned set the row of its real one; null: there is none.

    Within a tier and chapter the real sets are taken in turn; when they are used up, the same
    order starts again.

    Args:
        planned: tier, chapter.
        real: tier, chapter; in an order that is as good as random.
    """
    turn = pl.int_range(pl.len()).over("tier", "chapter")
    waiting = planned.select(
        "chapter", turn=turn, like=pl.col("tier").replace("zero_shot", "few_shot")
    )
    offered = real.select("chapter", like="tier", turn=turn, row=pl.int_range(pl.len()))
    stratum = ["like", "chapter"]
    sizes = offered.group_by(stratum).agg(size=pl.len().cast(pl.Int64))
    return (
        waiting.join(sizes, on=stratum, how="left", maintain_order="left")
        .with_columns(pl.col("turn") % pl.col("size"))
        .join(offered, on=[*stratum, "turn"], how="left", maintain_order="left")["row"]
    )


def with_nearest(sets: Sets, notes: sparse.csr_array, real: bool) -> Sets:
    """Add to the values of the first sets the overlap with the nearest train note, ``nearest``."""
    size = _NEAREST_SETS if notes.shape[0] else 0
    first = sets.whole[:size]
    itself = sets.about["source"][:size].fill_null(-1).to_numpy()
    overlap = nearest_overlap(first, notes, itself if real else np.full(first.shape[0], -1))
    nearest = pl.Series("nearest", overlap).extend_constant(None, len(sets.about) - len(overlap))
    return Sets(sets.about, sets.whole, sets.companions, sets.values.with_columns(nearest))


def pair_correlation(companions: sparse.csr_array, space: LabelSpace) -> tuple[float | None, int]:
    """Return how well the sets' pairs go with those of all train notes, and their number of sets.

    Pearson's correlation of ln(n) and ln(1 + m N / M), over the pairs with n >= :data:`OFTEN` of
    the N train notes, m of the M sets; None with fewer than three such pairs or the same counts.
    """
    sets = companions.shape[0]
    often = space.counts >= OFTEN
    a, b = np.divmod(space.keys[often], len(space.codes))
    if not sets or len(a) < 3:
        return None, sets
    together = np.asarray((companions.T @ companions).tocsr()[a, b]).ravel()
    train, here = np.log(space.counts[often]), np.log1p(together * space.notes / sets)
    if not train.std() or not here.std():
        return None, sets
    return float(np.corrcoef(train, here)[0, 1]), sets


def chapter_distance(planned: pl.DataFrame, real: pl.DataFrame) -> float | None:
    """Return the Jensen-Shannon distance (base 2, 0 to 1) of the chapters of the companions."""
    mixes = [sets.select("^chapter_.*$").to_numpy().sum(axis=0) for sets in (planned, real)]
    if not all(mix.any() for mix in mixes):
        return None
    return float(jensenshannon(*mixes, base=2))


def to_tell_apart(planned: Sets, real: Sets) -> np.ndarray:
    """Return the rows of counterparts that the AUCs are of: every train note once on each side.

    A note that stood on one side several times, always in one fold, would draw the AUC below 0.5:
    its rare codes would be known from the other side alone.
    """
    sources = pl.DataFrame({"planned": planned.about["source"], "real": real.about["source"]})
    once = sources.with_row_index("row").filter(pl.col("real").is_first_distinct())
    kept = once.filter(pl.col("planned").is_first_distinct() | pl.col("planned").is_null())
    return kept["row"].head(_AUC_SETS).to_numpy()


def two_sample_aucs(planned: Sets, real: Sets, notes: int) -> list[tuple[str, float | None, int]]:
    """Return measure, AUC and sets of both sides of the two classifiers and the larger AUC.

    Args:
        planned: no more than are to be told apart.
        real: as many.
        notes: the number of train notes.
    """
    is_planned = np.repeat([True, False], [len(planned.about), len(real.about)])
    about = pl.concat([planned.about, real.about])
    # A set that is copied from no note is a source of its own.
    source = about["source"].fill_null(notes + pl.int_range(len(about), eager=True)).to_numpy()
    values = pl.concat([planned.values, real.values])
    columns = set(values.columns) - {"codes", "copy", "duplicate", "nearest", *REASONS}
    # A set without pairs has its size to tell it by; a column of nulls alone would be refused.
    numbers = values.select(sorted(columns)).cast(pl.Float64).fill_null(0).to_numpy()
    inputs = {
        "auc_codes": (by_codes, sparse.vstack([planned.companions, real.companions]).tocsr()),
        "auc_features": (by_features, numbers),
    }
    aucs = {
        name: cross_validated_auc(classifier, one, is_planned, source, about["anchor"].to_numpy())
        for name, (classifier, one) in inputs.items()
    }
    aucs["auc"] = max((auc for auc in aucs.values() if auc is not None), default=None)
    return [(name, auc, len(about)) for name, auc in aucs.items()]


def _rows_of(planned: Sets, tier: str) -> np.ndarray:
    """Return the rows of the sets with anchors of the tier, or all."""
    return np.flatnonzero((planned.about["tier"] == tier).to_numpy() | (tier == ALL))


def compare(
    planned: Sets, matched: Sets, real: Sets, space: LabelSpace, notes: int
) -> list[tuple[str, str, float | None, int]]:
    """Return measure, who, value and n of planned sets and their counterparts.

    Args:
        planned: of one tier, or all.
        matched: those of them that have a counterpart.
        real: the counterparts.
        space: the label space.
        notes: the number of train notes.
    """
    rows = []
    for who, sets in (("planned", planned), ("train", real)):
        for name, (column, total) in _OF_SETS.items():
            one = pl.col(column)
            rows.append((name, who, *sets.values.select(total(one), n=one.count()).row(0)))
        rows.append(("pair_counts", who, *pair_correlation(sets.companions, space)))
    distance = chapter_distance(planned.values, real.values)
    rows.append(("chapter_distance", "planned", distance, len(planned.about)))
    told = to_tell_apart(matched, real)
    aucs = two_sample_aucs(matched.take(told), real.take(told), notes)
    return rows + [(name, "planned", auc, n) for name, auc, n in aucs]


def assess_code_sets(
    code_sets: pl.DataFrame,
    labels: pl.DataFrame,
    tiers: pl.DataFrame,
    taxonomy: pl.DataFrame,
    cooccurrence: pl.DataFrame,
    conflicts: pl.DataFrame,
) -> pl.DataFrame:
    """Return a table `plan/plausibility`: each measure for all anchors and for those of each tier.

    Reserves do not count. A measure without a set to tell it from is null. Whatever takes a sample
    of the planned sets takes those with the first request ids, which are hashes.

    Args:
        code_sets: a table `plan/code_sets`.
        labels: a table `corpus/labels`, train split.
        tiers: a table `plan/tiers`.
        taxonomy: a table `terminology/codes`.
        cooccurrence: a table `plan/cooccurrence`.
        conflicts: a table `plan/conflicts`.
    """
    space = label_space(tiers, taxonomy, cooccurrence, labels["note_id"].n_unique())
    mentions = labels.select("note_id", "code").unique().join(space.codes, on="code", how="semi")
    note_ids = mentions["note_id"].unique().sort()
    sources = pl.DataFrame({"source_note_id": note_ids, "source": np.arange(len(note_ids))})
    mentions = mentions.join(sources, left_on="note_id", right_on="source_note_id")
    notes = space.matrix(mentions.select("code", row="source"), len(note_ids))
    planned = _planned_sets(code_sets, sources, notes, space, conflicts)
    offered = _real_anchors(planned.about, mentions, space)
    counterpart = counterparts(planned.about, offered)
    used, row = np.unique(counterpart.drop_nulls().to_numpy(), return_inverse=True)
    about = offered[used]
    real = measure(about, notes[about["source"].to_numpy()], notes, space, conflicts, real=True)
    planned = with_nearest(planned, notes, real=False)
    matched = planned.take(counterpart.is_not_null().arg_true().to_numpy())
    real = with_nearest(real.take(row), notes, real=True)
    parts = []
    for tier in [ALL, *TIERS]:
        of_tier, of_matched = (_rows_of(sets, tier) for sets in (planned, matched))
        if tier != ALL and not len(of_tier):
            continue
        sides = planned.take(of_tier), matched.take(of_matched), real.take(of_matched)
        parts += [(tier, *one) for one in compare(*sides, space, len(note_ids))]
    return pl.DataFrame(parts, schema=TABLES["plan/plausibility"].columns, orient="row")


def summary(plausibility: pl.DataFrame) -> str:
    """Return one line for the log: what tells the planned sets from real ones, if anything."""
    rows = plausibility.filter(tier=ALL).select("measure", "who", "value").rows()
    values = {(measure, who): value for measure, who, value in rows}

    def shown(measure: str, who: str) -> str:
        value = values[measure, who]
        return "unknown" if value is None else f"{value:.3f}"

    return (
        f"planned and real code sets are told apart with an AUC of {shown('auc', 'planned')} (0.5: "
        f"not at all); pairs of codes that no other train note holds: planned "
        f"{shown('pairs_unseen', 'planned')}, train {shown('pairs_unseen', 'train')}; planned sets "
        f"that a train note has: {shown('copies', 'planned')}"
    )
