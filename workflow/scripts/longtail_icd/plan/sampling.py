"""Code sets drawn code by code: strategy ``sample``.

The anchor comes first. Companions are drawn one by one among candidates that stand near it, each
by its nearness times its mean lift with the codes drawn so far, to the size of a real set. A
candidate that contradicts a code of the set is refused. No set is drawn twice.

Each request draws with random numbers of its own row, so that more requests, more anchors, other
cores or another order of rows change none of them.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

import numpy as np
import polars as pl
from scipy import sparse

from longtail_icd.plan.companions import Companions

CANDIDATES = 256  # draws from what is near the anchor; what is likely comes several times
# Drawing by lift prefers rare codes; n to this power gives frequent ones their share again.
FREQUENCY = 0.08
# Real sets of a chapter and tier that are needed to take a size from them.
ENOUGH_SIZES = 30
ATTEMPTS = 10  # to draw a set that is new
BATCH = 600  # requests that are drawn at once
SIZED_TIERS = ("tail", "few_shot")


@dataclass(frozen=True)
class Drawn:
    """A drawn set: its sorted codes, and why it was accepted."""

    codes: tuple[str, ...]
    reason: str


@dataclass
class Draft:
    """Requests that are drawn together, a row each; candidates are columns of the model.

    ``weight`` is a candidate's before its lift, 0 where it must not be drawn; ``lift`` the sum of
    its lifts with the codes of the set; ``size`` that of the set, anchor included; ``refused``
    counts candidates that contradicted a code of the set; ``chance`` are numbers in [0, 1).
    """

    candidates: np.ndarray
    weight: np.ndarray
    lift: np.ndarray
    size: np.ndarray
    refused: np.ndarray
    chance: np.ndarray


def _stack(drafts: list[Draft]) -> Draft:
    names = Draft.__dataclass_fields__
    return Draft(**{name: np.concatenate([getattr(one, name) for one in drafts]) for name in names})


def chances(seed: int, anchor: str, attempt: int, rows: int, width: int) -> np.ndarray:
    """Return a row of random numbers per request of an anchor; more rows change none of them."""
    digest = hashlib.blake2b(f"{seed}|{anchor}|{attempt}".encode(), digest_size=16).digest()
    return np.random.default_rng(int.from_bytes(digest, "big")).random((rows, width))


class Sizes:
    """Sizes of real sets with a tail or few-shot code, by its tier and chapter.

    Args:
        labels: note_id, code; train split, inside the label space.
        model: the companions.
    """

    def __init__(self, labels: pl.DataFrame, model: Companions):
        self._chapter = model.chapter
        tier = dict(zip(model.codes, model.tiers, strict=True))
        sizes = labels.with_columns(size=pl.len().over("note_id")).select("code", "size")
        found: dict[tuple, list[int]] = defaultdict(list)
        for code, size in sizes.sort("size").iter_rows():
            if tier[code] in SIZED_TIERS:
                chapter = model.chapter(code)
                for key in ((tier[code], chapter), (None, chapter), (tier[code], None)):
                    found[key].append(size)
            found[None, None].append(size)
        self._sizes = {key: np.array(values) for key, values in found.items()}
        self.largest = int(sizes["size"].max() or 1)

    def of(self, anchor: str, tier: str, chance: np.ndarray) -> np.ndarray:
        """Return a size per chance in [0, 1): of the anchor's tier and chapter where enough are."""
        tier = "few_shot" if tier == "zero_shot" else tier
        chapter = self._chapter(anchor)
        keys = ((tier, chapter), (None, chapter), (tier, None))
        enough = (key for key in keys if len(self._sizes.get(key, ())) >= ENOUGH_SIZES)
        sizes = self._sizes[next(enough, (None, None))]
        return sizes[(chance * len(sizes)).astype(np.int64)]


class Sampler:
    """Draws code sets.

    Args:
        model: the companions.
        sizes: of real sets.
        tiers: the tier of each code of the label space, in the order of ``conflicts``.
        conflicts: symmetric, boolean, over the label space.
        head_load: share of the head-tier companions that stay in a set, 0 to 1.
        most: companions of a set; None: as many as real sets have.
        seed: of all draws.

    Attributes:
        sharpness: power by which a candidate's mean lift counts; see sharpness.py.
    """

    def __init__(
        self,
        model: Companions,
        sizes: Sizes,
        tiers: dict[str, str],
        conflicts: sparse.csr_array,
        head_load: float,
        most: int | None,
        seed: int,
    ):
        self._model, self._sizes, self._tiers = model, sizes, tiers
        self._head_load, self._seed = head_load, seed
        self._most = sizes.largest if most is None else most
        self.sharpness = 1.0
        self._row = {code: row for row, code in enumerate(tiers)}
        columns = [self._row[code] for code in model.codes]
        self._conflicts = conflicts[:, columns].tocsr()
        self._trained = self._conflicts[columns].toarray()
        self._head = model.tiers == "head"
        # From the share of notes to a rate: a code of most notes would be drawn twice and more.
        share = np.minimum(1.5 * model.share, 0.95)
        self._weight = (-np.log1p(-share) / share * model.n**FREQUENCY).astype(np.float32)

    def _draft(self, anchor: str, rows: list[int], attempt: int) -> Draft:
        """Return the requests of an anchor (their ordinals are ``rows``) with their candidates."""
        # Columns: the size, the candidates, a choice per companion, whether it stays.
        width = 1 + CANDIDATES + 2 * self._sizes.largest
        chance = chances(self._seed, anchor, attempt, max(rows) + 1, width)[rows]
        nearness = self._model.nearness(anchor).cumsum()
        places = chance[:, 1 : 1 + CANDIDATES] * nearness[-1]
        candidates = np.searchsorted(nearness, places, side="right").clip(max=len(nearness) - 1)
        contradicted = self._conflicts[[self._row[anchor]]].toarray()[0][candidates]
        free = ~contradicted & (candidates != self._model.column.get(anchor, -1))
        return Draft(
            candidates,
            self._weight[candidates] * free,
            self._model.lift_of(anchor)[candidates],
            self._sizes.of(anchor, self._tiers[anchor], chance[:, 0]).clip(max=1 + self._most),
            contradicted.sum(axis=1),
            chance[:, 1 + CANDIDATES :],
        )

    def _complete(self, draft: Draft) -> np.ndarray:
        """Draw companions one by one until every set has its size, or no candidate is left.

        Returns:
            Columns of the model, requests × companions, -1 where a set is smaller.
        """
        drawn = np.full((len(draft.size), self._sizes.largest), -1)
        active = np.flatnonzero(draft.size > 1)
        step = 0
        while len(active):
            mean = draft.lift[active] / (step + 1)
            weights = (draft.weight[active] * mean**self.sharpness).cumsum(axis=1, dtype=np.float64)
            some = weights[:, -1] > 0
            active, weights = active[some], weights[some]
            at = draft.chance[active, step] * weights[:, -1]
            choice = (weights > at[:, None]).argmax(axis=1)
            candidates = draft.candidates[active]
            new = candidates[np.arange(len(active)), choice]
            drawn[active, step] = new
            contradicted = self._trained[new[:, None], candidates]
            draft.refused[active] += (contradicted & (draft.weight[active] > 0)).sum(axis=1)
            draft.weight[active] *= ~contradicted & (candidates != new[:, None])
            draft.lift[active] += self._model.lift[new[:, None], candidates]
            step += 1
            active = active[draft.size[active] > step + 1]
        return drawn

    def _thin(self, drawn: np.ndarray, chance: np.ndarray) -> np.ndarray:
        """Take out head-tier companions, so that ``head_load`` of them stay."""
        leaves = (drawn >= 0) & self._head[drawn] & (chance >= self._head_load)
        return np.where(leaves, -1, drawn)

    def _batch(self, requests: list[tuple[str, int]], attempt: int) -> Iterator[Drawn]:
        """Yield a set for each request (anchor, ordinal); requests of an anchor come together."""
        drafts, anchors = [], [anchor for anchor, _ in requests]
        for anchor, group in groupby(requests, key=lambda request: request[0]):
            drafts.append(self._draft(anchor, [ordinal for _, ordinal in group], attempt))
        draft = _stack(drafts)
        drawn = self._thin(self._complete(draft), draft.chance[:, self._sizes.largest :])
        for anchor, row, refused in zip(anchors, drawn, draft.refused.tolist(), strict=True):
            codes = [anchor, *(self._model.codes[column] for column in row[row >= 0])]
            reason = f"{len(codes) - 1} companions drawn; {refused} candidates contradicted"
            yield Drawn(tuple(sorted(codes)), reason)

    def trial(self, anchors: list[str], sharpness: float) -> list[tuple[str, ...]]:
        """Return a whole set for each anchor, drawn with another sharpness; some may come twice."""
        usual = self.sharpness, self._head_load, self._most
        self.sharpness, self._head_load, self._most = sharpness, 1.0, self._sizes.largest
        requests = [(anchor, 0) for anchor in anchors]
        starts = range(0, len(requests), BATCH)
        sets = [
            drawn.codes
            for start in starts
            for drawn in self._batch(requests[start : start + BATCH], attempt=ATTEMPTS)
        ]
        self.sharpness, self._head_load, self._most = usual
        return sets

    def draw(self, requests: list[tuple[str, int]]) -> dict[tuple[str, int], Drawn | None]:
        """Return a set for every request (anchor, ordinal); no set comes twice.

        A set that an earlier request has is drawn anew, several times at most; then the anchor
        stands alone, once, and further requests get none. Earlier is what stands first here.
        """
        sets: dict[tuple[str, int], Drawn | None] = {}
        taken: set[tuple[str, ...]] = set()
        waiting = requests
        for attempt in range(ATTEMPTS):
            left = []
            for start in range(0, len(waiting), BATCH):
                batch = waiting[start : start + BATCH]
                for request, drawn in zip(batch, self._batch(batch, attempt), strict=True):
                    if drawn.codes in taken:
                        left.append(request)
                    else:
                        taken.add(drawn.codes)
                        sets[request] = drawn
            waiting = left
        for request in waiting:
            alone = (request[0],)
            sets[request] = None if alone in taken else Drawn(alone, "alone: no other new set")
            taken.add(alone)
        return sets
