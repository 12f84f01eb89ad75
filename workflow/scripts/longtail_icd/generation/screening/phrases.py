"""Many phrases looked up in a note at once (Aho and Corasick 1975, by `ahocorasick-rs`)."""

from ahocorasick_rs import AhoCorasick, MatchKind

from longtail_icd.generation.screening.words import Words


class PhraseIndex:
    """Finds normalised phrases: of those that overlap, the leftmost and of these the longest.

    Args:
        phrases: as :func:`phrase_of` makes them; none is empty.
    """

    def __init__(self, phrases: list[str]):
        self.phrases = phrases
        self._matcher = AhoCorasick(phrases, matchkind=MatchKind.LeftmostLongest)

    def find(self, words: Words) -> list[tuple[int, int, int]]:
        """Return first word, last word + 1 and the phrase's number of each match, in order."""
        return [
            (*words.at(start, end), number)
            for number, start, end in self._matcher.find_matches_as_indexes(words.joined)
        ]
