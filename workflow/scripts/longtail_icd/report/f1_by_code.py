"""Figure: each code's F1 under two train sets against each other; every mark says its codes.

Written as SVG without a plotting library: each mark carries a title that a browser shows, and its
gain, by which the page's script steps through the marks.
"""

import math
from html import escape

import polars as pl

from longtail_icd.report.glossary import TIERS, model_name
from longtail_icd.report.numbers import count, points, signed_points
from longtail_icd.report.style import COLOURS, GRID
from longtail_icd.report.tables import PageTable

_SIDE = 260  # of a panel's square, in pixels at the figure's own size
_LEFT, _TOP, _BOTTOM = 46, 46, 44  # room for the axes' names and the panel's title
_PANEL = _TOP + _SIDE + _BOTTOM
_LEGEND = 44
_WIDTH = 345  # of the other figures
_NAMED = 8  # codes that a mark names before it only counts them

# Corners of each tier's mark in a square from -1 to 1; none: a circle. Told apart without colour.
_CORNERS = {
    "head": (),
    "medium": ((-1, -1), (1, -1), (1, 1), (-1, 1)),
    "tail": ((0, -1.2), (1.1, 0.9), (-1.1, 0.9)),
    "few_shot": ((0, -1.3), (1.3, 0), (0, 1.3), (-1.3, 0)),
    "zero_shot": ((0, 1.2), (1.1, -0.9), (-1.1, -0.9)),
}

_STYLE = f"""<style>
.code-grid {{ stroke: {GRID}; stroke-opacity: .3 }}
.code-even {{ stroke: {GRID}; stroke-dasharray: 4 3 }}
.code-mark {{ fill-opacity: .55; stroke: currentColor; stroke-width: .4 }}
</style>"""


def code_pairs(codes: pl.DataFrame, comparison: dict[str, str] | None) -> pl.DataFrame:
    """Return each code's F1 before and after, of codes with a gold label in the test split.

    Args:
        codes: table ``report/codes``.
        comparison: train sets under ``baseline`` and ``against``; None: no rows.

    Returns:
        model, code, title, tier, n_train, n_test, before, after; in the order of model and code.
    """
    pair = comparison or {"baseline": "", "against": ""}
    own = codes.filter(pl.col("n_test") > 0)
    after = own.filter(train_set=pair["against"]).select("model", "code", after="f1")
    before = own.filter(train_set=pair["baseline"]).rename({"f1": "before"})
    columns = ["model", "code", "title", "tier", "n_train", "n_test", "before", "after"]
    return before.join(after, on=["model", "code"]).select(columns).sort("model", "code")


def moved_table(pairs: pl.DataFrame, model: str, size: int = 10) -> PageTable:
    """Return the codes of one model that gained and that lost most, as many of each.

    By the gain times the test labels, so that a code with a single label does not come first.

    Args:
        pairs: see :func:`code_pairs`.
        model: a key of the config's ``models``.
        size: most codes of each kind.
    """
    gain = (pl.col("after") - pl.col("before")) * pl.col("n_test")
    ranked = (
        pairs.filter(model=model)
        .with_columns(gain=gain)
        .sort("gain", "code", descending=[True, False])
    )
    gained = ranked.filter(pl.col("gain") > 0).head(size)
    lost = ranked.filter(pl.col("gain") < 0).tail(size)
    return PageTable(
        f"{model_name(model)}: the codes that gained and that lost most, F1 in points",
        ["code", "tier", "in train", "in test", "before", "after", "gain"],
        [
            [
                f"{row['code']} {row['title'] or ''}".strip(),
                TIERS[row["tier"]],
                count(row["n_train"]),
                count(row["n_test"]),
                points(row["before"]),
                points(row["after"]),
                signed_points(row["after"] - row["before"]),
            ]
            for row in pl.concat([gained, lost]).iter_rows(named=True)
        ],
    )


def marks_of(pairs: pl.DataFrame) -> pl.DataFrame:
    """Put codes of one tier together whose F1 agree in whole points, the largest group first.

    Returns:
        tier, x, y (points), codes (a list of rows of ``pairs``).
    """
    place = [
        (pl.col(side) * 100).round().alias(axis) for axis, side in (("x", "before"), ("y", "after"))
    ]
    return (
        pairs.with_columns(pl.struct(pl.all()).alias("codes"))
        .group_by("tier", *place, maintain_order=True)
        .agg("codes")
        .sort(pl.col("codes").list.len(), descending=True, maintain_order=True)
    )


def _describe(mark: dict, model: str) -> str:
    """Return a mark's title: what its codes gained, and which they are."""
    codes = mark["codes"]
    named = [
        f"{one['code']} {one['title'] or ''}".strip()
        + f" ({TIERS[one['tier']]}; {count(one['n_train'])} train, {count(one['n_test'])} test)"
        for one in codes[:_NAMED]
    ]
    more = [f"and {count(len(codes) - _NAMED)} more codes"] if len(codes) > _NAMED else []
    gain = signed_points((mark["y"] - mark["x"]) / 100)
    moved = f"{model}: F1 {mark['x']:.0f} → {mark['y']:.0f} ({gain})"
    return "\n".join([moved, *named, *more])


def _shape(tier: str, x: float, y: float, radius: float, more: str = "", inside: str = "") -> str:
    """Return the element of a tier's mark, with more attributes and what stands inside."""
    fill = COLOURS[list(TIERS).index(tier)]
    if not _CORNERS[tier]:
        place = f'cx="{x:.1f}" cy="{y:.1f}" r="{radius:.1f}"'
        return f'<circle {place} fill="{fill}"{more}>{inside}</circle>'
    corners = " ".join(f"{x + radius * a:.1f},{y + radius * b:.1f}" for a, b in _CORNERS[tier])
    return f'<polygon points="{corners}" fill="{fill}"{more}>{inside}</polygon>'


def _mark(mark: dict, model: str, top: float) -> str:
    radius = 2.6 * (1 + math.log10(len(mark["codes"])))
    x, y = _LEFT + mark["x"] / 100 * _SIDE, top + (100 - mark["y"]) / 100 * _SIDE
    more = f' class="code-mark" data-gain="{mark["y"] - mark["x"]:g}"'
    title = f"<title>{escape(_describe(mark, model))}</title>"
    return _shape(mark["tier"], x, y, radius, more, title)


def _text(x: float, y: float, words: str, more: str = "") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" {more}>{escape(words)}</text>'


def _line(path: str, kind: str) -> str:
    return f'<path d="{path}" class="{kind}"/>'


def _axes(top: float, title: str, comparison: dict[str, str]) -> list[str]:
    """Draw a panel's frame: grid every 25 points, the diagonal of no change, names."""
    bottom, right = top + _SIDE, _LEFT + _SIDE
    lines = []
    for at in (0, 25, 50, 75, 100):
        x, y = _LEFT + at / 100 * _SIDE, bottom - at / 100 * _SIDE
        lines += [
            _line(f"M{x:.1f} {top:.1f}V{bottom:.1f}M{_LEFT} {y:.1f}H{right}", "code-grid"),
            _text(x, bottom + 15, f"{at}", 'text-anchor="middle"'),
            _text(_LEFT - 10, y + 4, f"{at}", 'text-anchor="end"'),
        ]
    middle = top + _SIDE / 2
    return [
        *lines,
        _line(f"M{_LEFT} {bottom:.1f}L{right} {top:.1f}", "code-even"),
        _text(_LEFT, top - 10, title, 'font-weight="bold"'),
        _text(
            _LEFT + _SIDE / 2,
            bottom + 33,
            f"F1 of {comparison['baseline']}",
            'text-anchor="middle"',
        ),
        _text(
            12,
            middle,
            f"F1 of {comparison['against']}",
            f'text-anchor="middle" transform="rotate(-90 12 {middle:.1f})"',
        ),
    ]


def _legend() -> list[str]:
    parts = []
    for place, (tier, name) in enumerate(TIERS.items()):
        x, y = _LEFT + 95 * (place % 3), 12 + 18 * (place // 3)
        parts += [_shape(tier, x, y, 4), _text(x + 9, y + 4, name)]
    return parts


def draw_f1_by_code(pairs: pl.DataFrame, comparison: dict[str, str] | None) -> str:
    """Return the figure as SVG: a panel per model, the codes that gain above the diagonal.

    Args:
        pairs: see :func:`code_pairs`.
        comparison: train sets under ``baseline`` and ``against``; None: there is none to draw.
    """
    if comparison is None or pairs.is_empty():
        body = [_text(_WIDTH / 2, 30, "no comparison of codes", 'text-anchor="middle"')]
        height = 60
    else:
        body = _legend()
        models = pairs.partition_by("model", as_dict=True, maintain_order=True)
        for place, ((model,), rows) in enumerate(models.items()):
            top = _LEGEND + place * _PANEL + _TOP - 20
            body += _axes(top, model_name(model), comparison)
            body += [
                _mark(mark, model_name(model), top) for mark in marks_of(rows).iter_rows(named=True)
            ]
        height = _LEGEND + len(models) * _PANEL
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" '
            'font-family="sans-serif" font-size="11" fill="currentColor">',
            _STYLE,
            *body,
            "</svg>\n",
        ]
    )
