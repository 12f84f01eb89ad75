"""Which licence a corpus has, and with it all that is derived from it."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Licence:
    """A licence as a dataset card names it.

    Args:
        id: its identifier on the Hugging Face Hub; ``other`` for one that has none there.
        name: its name.
        public: what is derived from the corpus may be shared with anyone.
    """

    id: str
    name: str
    public: bool


SIMULATED = Licence("mit", "MIT, as this software: the corpus is simulated", public=True)
CODIESP = Licence("cc-by-4.0", "CC BY 4.0, inherited from CodiEsp", public=True)
CREDENTIALED = Licence(
    "other", "PhysioNet Credentialed Health Data License, inherited from MIMIC", public=False
)
UNKNOWN = Licence("other", "that of the source corpus, taken to be confidential", public=False)


def corpus_licence(corpus: dict[str, Any]) -> Licence:
    """Return the licence of the configuration's block ``corpus:``.

    Whatever a path leads to is taken at its most restricted: MIMIC's open demo, read by MIMIC's
    adapter, counts as credentialed, and a table of one's own as confidential.
    """
    if corpus["adapter"] == "codiesp":
        return CODIESP
    if corpus["path"] is None:
        return SIMULATED
    return CREDENTIALED if corpus["adapter"].startswith("mimic") else UNKNOWN
