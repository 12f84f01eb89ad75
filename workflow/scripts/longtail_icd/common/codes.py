"""Codes as strings: dotting, categories, checks.

Everywhere in this project a code is the dotted string that the field writes (``038.9``,
``38.93``, ``E11.9``; ICD-10-PCS has no dot). A code is never a number: procedure ``0117`` is
``01.17``, and read as the integer 117 it would turn into ``11.7``.
"""

import polars as pl

from longtail_icd.common.errors import UserError
from longtail_icd.common.tables import CODE_SYSTEMS, KINDS

# What a well-formed dotted code looks like; says nothing about whether the code exists.
PATTERNS = {
    ("icd9cm", "diagnosis"): r"^(?:[0-9]{3}|V[0-9]{2}|E[0-9]{3})(?:\.[0-9]{1,2})?$",
    ("icd9cm", "procedure"): r"^[0-9]{2}(?:\.[0-9]{1,2})?$",
    ("icd10cm", "diagnosis"): r"^[A-Z][0-9A-Z]{2}(?:\.[0-9A-Z]{1,4})?$",
    ("icd10pcs", "procedure"): r"^[0-9A-HJ-NP-Z]{1,7}$",
}

# Which code system holds a kind of code, by the edition that a corpus is coded in.
SYSTEMS = {
    "icd9": {"diagnosis": "icd9cm", "procedure": "icd9cm"},
    "icd10": {"diagnosis": "icd10cm", "procedure": "icd10pcs"},
}
EDITION_OF = {"mimic3": "icd9", "codiesp": "icd10"}  # adapters that know only one


def code_systems(adapter: str, edition: str | None) -> list[str]:
    """Return the code systems that a corpus may hold codes of, sorted.

    Args:
        adapter: `corpus.adapter` of the configuration.
        edition: `corpus.edition`; null for a table whose rows name their version: all systems.
    """
    edition = EDITION_OF.get(adapter, edition)
    editions = SYSTEMS.values() if edition is None else [SYSTEMS[edition]]
    return sorted({system for one in editions for system in one.values()})


def _check(version: str, kind: str) -> None:
    if (version, kind) not in PATTERNS:
        raise UserError(
            f"code system {version} has no codes of kind {kind}; systems: "
            f"{', '.join(CODE_SYSTEMS)}; kinds: {', '.join(KINDS)}"
        )


def _category_length(code: pl.Expr, version: str, kind: str) -> pl.Expr:
    """Return how many characters stand before the dot."""
    if version == "icd9cm" and kind == "procedure":
        return pl.lit(2, dtype=pl.UInt32)
    if version == "icd9cm":
        external_cause = code.str.starts_with("E")
        return pl.when(external_cause).then(4).otherwise(3).cast(pl.UInt32)
    return pl.lit(3, dtype=pl.UInt32)


def undotted(code: pl.Expr) -> pl.Expr:
    """Strip, upper-case and remove the dot: the form of hospital tables.

    Before: ``" 038.9"``, ``"e11.9"``. After: ``"0389"``, ``"E119"``.
    """
    return code.str.strip_chars().str.to_uppercase().str.replace_all(".", "", literal=True)


def dotted(code: pl.Expr, version: str, kind: str) -> pl.Expr:
    """Write codes the way the field does, whether they come with a dot or without.

    Before → after::

        icd9cm diagnosis   "0389" → "038.9"   "4019 " → "401.9"   "585" → "585"
                           "v4581" → "V45.81"   "E8782" → "E878.2"   "E849" → "E849"
        icd9cm procedure   "0117" → "01.17"   "3893" → "38.93"   "01" → "01"
        icd10cm            "e119" → "E11.9"   "I10" → "I10"   "T8141XA" → "T81.41XA"
        icd10pcs           "0dtj4zz" → "0DTJ4ZZ"

    Args:
        code: strings; null stays null. Leading zeros are kept.
        version: ``icd9cm``, ``icd10cm`` or ``icd10pcs``.
        kind: ``diagnosis`` or ``procedure``; ICD-9-CM uses both, and undotted they collide.

    Raises:
        UserError: the code system has no codes of this kind.
    """
    _check(version, kind)
    plain = undotted(code)
    if version == "icd10pcs":
        return plain
    length = _category_length(plain, version, kind)
    rest = plain.str.slice(length)
    with_dot = plain.str.slice(0, length) + pl.lit(".") + rest
    return pl.when(rest.str.len_chars() > 0).then(with_dot).otherwise(plain)


def category(code: pl.Expr, version: str, kind: str) -> pl.Expr:
    """Return the category of dotted codes: what stands before the dot; PCS: the 3-character table.

    Before: ``"038.9"``, ``"E878.2"``, ``"38.93"``, ``"E11.9"``, ``"0DTJ4ZZ"``.
    After: ``"038"``, ``"E878"``, ``"38"``, ``"E11"``, ``"0DT"``.
    """
    _check(version, kind)
    return code.str.slice(0, _category_length(code, version, kind))


def well_formed(code: pl.Expr, version: str, kind: str) -> pl.Expr:
    """Return whether dotted codes have the shape of their system (not whether they exist).

    Before: ``"038.9"``, ``"38.93"`` as icd9cm diagnosis. After: true, false.
    """
    _check(version, kind)
    return code.str.contains(PATTERNS[(version, kind)])
