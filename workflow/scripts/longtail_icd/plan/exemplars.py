"""Which real train notes a request's prompt may show."""

import polars as pl


def select_exemplars(code_sets: pl.DataFrame, method: str) -> pl.DataFrame:
    """Return a table `plan/exemplars`: one row per request, in the order of the code sets.

    Args:
        code_sets: a table `plan/code_sets`.
        method: ``source``: the note whose code set was cloned, and no note where there is none
            (inferred from the author's slides: the retrieved summary is the clinical example);
            ``none``: no note.
    """
    notes = pl.concat_list("source_note_id").list.drop_nulls()
    exemplars = {"source": notes, "none": pl.lit([], dtype=pl.List(pl.String))}
    return code_sets.select("request_id", exemplar_note_ids=exemplars[method])
