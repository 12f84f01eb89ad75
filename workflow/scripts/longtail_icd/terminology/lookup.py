"""Looking things up in `terminology/codes`, also for codes that it does not know."""

import polars as pl

from longtail_icd.common.tables import TABLES

COLUMNS = list(TABLES["terminology/codes"].columns)
KEY = ["version", "code"]
NAMED = 10  # unknown codes that a warning names


def _prefixes() -> pl.Expr:
    """Return every shorter prefix of a code, longest first, without a dot at its end."""
    code = pl.col("code")
    shorter = [code.str.head(-count).str.strip_chars_end(".") for count in range(1, 8)]
    return pl.concat_list(shorter).list.unique(maintain_order=True)


def describe_unknown(codes: pl.DataFrame, wanted: pl.DataFrame) -> pl.DataFrame:
    """Describe the wanted codes that the taxonomy does not know by their nearest known prefix.

    Before: 488.1 is not in V32, 488 is. After: parent 488, its place and its title, title_source
    ``fallback``. A code without any known prefix is titled by itself and has no place.

    Args:
        codes: a table `terminology/codes`.
        wanted: columns version, code, kind; may hold known codes and repetitions.

    Returns:
        Rows of `terminology/codes` for the unknown codes alone, sorted; its height is their count.
    """
    unknown = wanted.select("version", "code", "kind").unique().join(codes, on=KEY, how="anti")
    places = codes.select("version", "kind", "title", "category", "block", "chapter", above="code")
    nearest = (
        unknown.with_columns(above=_prefixes())
        .explode("above")
        .join(places, on=["version", "kind", "above"])
        .sort("version", "code", pl.col("above").str.len_chars(), descending=[False, False, True])
        .unique([*KEY, "kind"], keep="first", maintain_order=True)
    )
    return (
        unknown.join(nearest, on=["version", "code", "kind"], how="left")
        .with_columns(
            title=pl.coalesce("title", "code"),
            title_source=pl.lit("fallback"),
            is_leaf=pl.lit(True),
        )
        .rename({"above": "parent"})
        .select(COLUMNS)
        .sort("version", "kind", "code")
    )


def unknown_warning(unknown: pl.DataFrame) -> str | None:
    """Return one line that counts unknown codes and names at most ten, or None for none."""
    if unknown.is_empty():
        return None
    named = ", ".join(unknown["code"].head(NAMED))
    more = ", …" if unknown.height > NAMED else ""
    return (
        f"warning: {unknown.height} codes are not in the taxonomy and get the title of the "
        f"nearest node above them: {named}{more}"
    )


def with_unknown(codes: pl.DataFrame, wanted: pl.DataFrame) -> pl.DataFrame:
    """Return the table with a fallback row for each wanted code that it lacks.

    Prints one warning that counts them. Arguments as for :func:`describe_unknown`.
    """
    unknown = describe_unknown(codes, wanted)
    if warning := unknown_warning(unknown):
        print(warning)
    return pl.concat([codes.select(COLUMNS), unknown])


class Ancestors:
    """The nodes above the codes of one code system, for many look-ups.

    Args:
        codes: a table `terminology/codes`.
        version: the code system.
    """

    def __init__(self, codes: pl.DataFrame, version: str):
        rows = codes.filter(version=version).select("code", "parent").iter_rows()
        self._parents: dict[str, str | None] = dict(rows)

    def of(self, code: str) -> list[str]:
        """Return the nodes above a code, nearest first, up to its chapter.

        Before: ``428.21`` of icd9cm. After: ``["428.2", "428", "420-429", "390-459"]``.
        A code that the table does not know has nothing above it.
        """
        path = []
        above = self._parents.get(code)
        while above is not None:
            path.append(above)
            above = self._parents.get(above)
        return path

    def nodes_of(self, codes: pl.Series) -> pl.DataFrame:
        """Return every code under itself and under each node above it.

        Before: ``428.21``. After: rows (node, code) of 428.21, 428.2, 428, 420-429 and 390-459,
        each with 428.21.
        """
        nodes = [[code, *self.of(code)] for code in codes]
        schema = {"node": pl.List(pl.String), "code": pl.String}
        return pl.DataFrame({"node": nodes, "code": codes}, schema=schema).explode("node")
