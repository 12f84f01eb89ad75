"""What the report calls things: models, tiers, metrics and their definitions in short."""

from typing import Any

ALL_CODES = "all"
POOLED_F1 = "micro_f1"  # over the codes of one tier: the pooled F1 of that tier
PRIMARY_TIER = "few_shot"

_MODELS = {"plm_icd": "PLM-ICD", "plm_ca": "PLM-CA", "gki_icd": "GKI-ICD"}

TIERS = {
    "head": "head",
    "medium": "medium",
    "tail": "tail",
    "few_shot": "few-shot",
    "zero_shot": "zero-shot",
}

# A count among the metrics, told beside the label space and not in the tables of scores.
OUTSIDE = "labels_outside_label_space"

# metric: (what the page calls it, its definition). In the order in which the page shows them.
METRICS = {
    "micro_f1": (
        "micro-F1",
        "F1 over all decisions, one per note and code, taken together. Within a tier it is called "
        "pooled F1: the same count over that tier's codes only.",
    ),
    "macro_f1_harmonic": (
        "macro-F1, harmonic (CAML, PLM-ICD)",
        "Harmonic mean of mean precision and mean recall over all codes of the label space.",
    ),
    "macro_f1_all_codes": (
        "macro-F1, all codes (GKI-ICD)",
        "Mean F1 over all codes of the label space; a code without a gold label counts 0.",
    ),
    "macro_f1_test_codes": (
        "macro-F1, test codes (Edin 2023)",
        "Mean F1 over the codes with at least one gold label in the test split.",
    ),
    "macro_precision_test_codes": (
        "macro-precision, test codes",
        "Mean precision over the codes with at least one gold label in the test split.",
    ),
    "macro_recall_test_codes": (
        "macro-recall, test codes",
        "Mean recall over the codes with at least one gold label in the test split.",
    ),
    "micro_precision": ("micro-precision", "Share of all predicted codes that are right."),
    "micro_recall": ("micro-recall", "Share of all gold labels that are predicted."),
    "macro_precision": ("macro-precision", "Mean precision over all codes of the label space."),
    "macro_recall": ("macro-recall", "Mean recall over all codes of the label space."),
    "map": ("MAP", "Mean over notes of the average precision of the full ranking of codes."),
    "r_precision": (
        "R-precision",
        "Precision among a note's best-scored codes, as many as it has gold codes.",
    ),
    "exact_match": ("exact match", "Share of notes whose predicted codes equal the gold codes."),
    "auc_macro": (
        "macro-AUC",
        "Mean area under the ROC curve over codes that some test notes have and some lack.",
    ),
    "auc_micro": ("micro-AUC", "Area under the ROC curve over all decisions taken together."),
    "ap_macro": (
        "macro-AP",
        "Mean over codes with a gold label of the average precision of the notes ranked by the "
        "code's score: how well codes are found that no threshold finds.",
    ),
    "ece": (
        "calibration error",
        "Expected calibration error: how far probabilities lie from the share of gold labels, mean "
        "over decisions in 15 bins. 0 is perfect; nearly every decision is a sure no.",
    ),
}

_AT_K = {
    "precision_at_": ("P@", "Mean share of gold codes among a note's {k} best-scored codes."),
    "recall_at_": ("R@", "Mean share of a note's gold codes found among its {k} best-scored."),
}

# measure of a plan's code sets: (what the page calls it, what is good, whether it is a share shown
# in points). In the order in which the page shows them.
PLAUSIBILITY = {
    "auc": (
        "AUC, the larger",
        "How well a classifier tells planned companions from real ones, on sets that it has not "
        "seen. 0.5: not at all, as it should be; 1: always. The larger of the next two.",
        False,
    ),
    "auc_codes": (
        "AUC by codes",
        "Of a logistic regression that sees which codes a set has.",
        False,
    ),
    "auc_features": (
        "AUC by numbers",
        "Of gradient boosting on sizes, pairs, tiers and chapters of a set.",
        False,
    ),
    "codes_mean": ("codes, mean", "Codes of a set; good is as in train.", False),
    "codes_median": ("codes, median", "The same, of the middle set.", False),
    "head_codes": (
        "head codes",
        "Of a set's companions. As in train is plausible; fewer teach less that is known already.",
        False,
    ),
    "chapter_distance": (
        "chapter distance",
        "Jensen-Shannon distance of the companions' chapters from those of train: 0 the same, 1 "
        "none in common.",
        False,
    ),
    "pairs_unseen": (
        "unseen pairs",
        "Share of a set's pairs of companions that no other train note holds. Good is as in train: "
        "real notes have new pairs, too.",
        True,
    ),
    "pairs_npmi": (
        "NPMI of seen pairs",
        "How much more often than by chance the others stand together; good is as in train. Lower: "
        "codes thrown together; higher: the commonest pairs over and over.",
        False,
    ),
    "pair_counts": (
        "pair correlation",
        "Of the logarithms of how often pairs stand together, here and in all of train. The column "
        "train says what sets around rare codes can reach.",
        False,
    ),
    "conflict_excludes1": (
        "Excludes1 broken",
        "Sets with codes that the classification forbids together; good is 0, though coders break "
        "the rule, too.",
        True,
    ),
    "conflict_sex": ("sexes mixed", "Sets with codes of women and of men; good is 0.", True),
    "conflict_age": ("ages mixed", "Sets with codes of ages that never meet; good is 0.", True),
    "duplicates": (
        "duplicates",
        "Sets that another planned set equals, in train another note's; fewer are better.",
        True,
    ),
    "copies": (
        "copies",
        "Sets that a train note has, in train another note. Fewer are better: a copy is one "
        "patient's stay told again.",
        True,
    ),
    "nearest_median": (
        "nearest note, median",
        "Jaccard overlap with the train note that shares most, in train with another; good is as "
        "in train, 100 is a copy.",
        True,
    ),
    "nearest_p95": ("nearest note, 95th percentile", "The same, of the nearest of 20 sets.", True),
}

# measure of synthetic notes: (what the page calls it, what is good, whether it is a share shown in
# points). In the order in which the page shows them; docs/quality.md defines them.
QUALITY = {
    "words": ("words, median", "Of a note; good is as in real notes.", False),
    "words_distance": (
        "distance of lengths",
        "Kolmogorov-Smirnov distance from the lengths of other train notes: 0 the same, 1 nothing "
        "in common. Good is as for real notes.",
        False,
    ),
    "abbreviations": (
        "abbreviations",
        "Per 100 words; good is as in real notes. Fewer: too clean.",
        False,
    ),
    "numerals": ("numerals", "Words with a digit, per 100 words; good is as in real notes.", False),
    "type_token": (
        "different words of 100",
        "Distinct words per word, mean over stretches of 100 words; good is as in real notes.",
        False,
    ),
    "section_orders": (
        "orders of sections",
        "Entropy, in bits, of which frequent headings a note has and in which order. Lower than in "
        "real notes: always the same plan.",
        False,
    ),
    "words_unseen": (
        "unseen words",
        "Share of a note's words that the other train notes never use. Far above real notes: "
        "another language than the hospital's.",
        True,
    ),
    "distinct_1": (
        "distinct-1",
        "Distinct words over all words, in as many words of both sides. Lower than in real notes: "
        "few words over and over.",
        False,
    ),
    "distinct_2": ("distinct-2", "The same, of pairs of neighbouring words.", False),
    "self_bleu": (
        "self-BLEU",
        "BLEU-4 of a note against as many others of its side. Higher than in real notes: the notes "
        "repeat each other.",
        False,
    ),
    "near_copies": (
        "near-copies",
        "Notes that share at least 80 % of their word triples with an earlier one of the sample; "
        "good is 0.",
        True,
    ),
    "cosine": (
        "cosine of pairs",
        "Mean cosine of the TF-IDF vectors of two notes. Higher than in real notes: less varied.",
        False,
    ),
    "nearest": (
        "distance to train, median",
        "Cosine distance to the nearest of other train notes. Far below real notes: written off.",
        False,
    ),
    "nearest_p05": ("distance to train, 5th percentile", "The same, of the closest notes.", False),
    "copied": (
        "copied from train",
        "Share of a note's sequences of 13 words that one of the other train notes has, "
        "boilerplate left out; good is as in real notes or less.",
        True,
    ),
    "copied_exemplars": (
        "copied from exemplars",
        "The same, of the real notes behind the note's prompt; good is 0.",
        True,
    ),
    "codes_worded": (
        "codes named",
        "Share of codes whose title or a synonym stands in the note. Far above real notes: too "
        "explicit to learn from.",
        True,
    ),
}


def model_name(model: str) -> str:
    """Return how the field writes a model. Before: ``gki_icd``. After: ``GKI-ICD``."""
    return _MODELS.get(model, model)


def metric_entry(metric: str) -> tuple[str, str | None]:
    """Return a metric's name on the page and its definition; an unknown one keeps its own name."""
    if metric in METRICS:
        return METRICS[metric]
    for prefix, (name, definition) in _AT_K.items():
        if metric.startswith(prefix):
            k = metric.removeprefix(prefix)
            return f"{name}{k}", definition.format(k=k)
    return metric, None


def metric_label(metric: str, tier: str = ALL_CODES) -> str:
    """Return a metric's name on the page; micro-F1 within a tier is called pooled F1."""
    if metric == POOLED_F1 and tier != ALL_CODES:
        return "pooled F1"
    return metric_entry(metric)[0]


def metric_order(metric: str) -> tuple[int, int, str]:
    """Sort key: the order of :data:`METRICS`, then rankings at k by k, then the rest by name."""
    known = list(METRICS)
    if metric in known:
        return known.index(metric), 0, metric
    for place, prefix in enumerate(_AT_K):
        if metric.startswith(prefix) and metric.removeprefix(prefix).isdigit():
            return len(known) + place, int(metric.removeprefix(prefix)), metric
    return len(known) + len(_AT_K), 0, metric


def tier_rules(edges: dict[str, Any]) -> dict[str, str]:
    """Return each tier's rule on the train frequency n.

    Before: ``{"head": 100, "medium": 30, "tail": 10}``.
    After: ``{"head": "n ≥ 100", "medium": "n = 30–99", …, "zero_shot": "n = 0"}``.
    """
    return {
        "head": f"n ≥ {edges['head']:,}",
        "medium": f"n = {edges['medium']:,}–{edges['head'] - 1:,}",
        "tail": f"n = {edges['tail']:,}–{edges['medium'] - 1:,}",
        "few_shot": f"n = 1–{edges['tail'] - 1:,}",
        "zero_shot": "n = 0",
    }
