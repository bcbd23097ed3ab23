"""The tables of `signatures`, made ready to be searched: an index of phrases by their first word, ideas as bits, rules as masks.

Nothing here searches with a regular expression: a reply's tokens are looked up, and what they point at is compared, so the time is
bounded by the number of tokens, whatever a server sends.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from mailwatch.core.replies import Reading, fold, words_of
from mailwatch.core.signatures.lexicon import ENGLISH
from mailwatch.core.signatures.lexicon_asia import CHINESE, JAPANESE
from mailwatch.core.signatures.lexicon_east import DUTCH, OTHERS, POLISH, RUSSIAN, TURKISH
from mailwatch.core.signatures.lexicon_south import ITALIAN, PORTUGUESE, SPANISH
from mailwatch.core.signatures.lexicon_world import FRENCH, GERMAN
from mailwatch.core.signatures.rule import Rule

LANGUAGES: Final[tuple[Mapping[str, str], ...]] = (
    ENGLISH,
    GERMAN,
    FRENCH,
    SPANISH,
    ITALIAN,
    PORTUGUESE,
    DUTCH,
    POLISH,
    TURKISH,
    RUSSIAN,
    CHINESE,
    JAPANESE,
    OTHERS,
)
SLIP_LENGTH: Final = 7  #: shorter words are too near to one another to forgive a slip of the pen
SLIP_LIMIT: Final = 20
NEAR: Final = 14  #: how many tokens apart the ideas of one meaning may stand

Hit = tuple[Rule, int, int]  #: the rule, and the first and last token that decided


@dataclass(frozen=True, slots=True)
class _Phrase:
    order: int
    rule: Rule
    tokens: tuple[str, ...]


class PhraseIndex:
    """Finds the first rule, in table order, one of whose phrases stands in a reply."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        self._by_first: dict[str, list[_Phrase]] = {}
        for order, rule in enumerate(rules):
            for wording in rule.wants:
                tokens = tuple(words_of(wording))
                self._by_first.setdefault(tokens[0], []).append(_Phrase(order, rule, tokens))

    def find(self, reading: Reading) -> Hit | None:
        """The first rule that holds."""
        best: _Phrase | None = None
        where = 0
        tokens, place, by_first = reading.tokens, reading.place, self._by_first
        for index, token in enumerate(tokens):
            for phrase in by_first.get(token, ()):
                if best is not None and phrase.order >= best.order:
                    break
                rule, wanted = phrase.rule, phrase.tokens
                if place & rule.need_place != rule.need_place or place & rule.bar_place:
                    continue
                if tokens[index : index + len(wanted)] == wanted:
                    best, where = phrase, index
                    break
        return None if best is None else (best.rule, where, where + len(best.tokens) - 1)


class Lexicon:
    """Which ideas a token, or a run of tokens, stands for."""

    def __init__(self, languages: Iterable[Mapping[str, str]]) -> None:
        self.bits: dict[str, int] = {}
        self._words: dict[str, int] = {}
        english: dict[str, int] = {}
        self._stems: dict[str, int] = {}
        self._runs: dict[str, dict[str, list[tuple[tuple[str, ...], int]]]] = {}  # by the first two tokens
        self._open_runs: dict[str, list[tuple[tuple[str, ...], int, str]]] = {}  # the last token is only a beginning
        for language in languages:
            for idea, words in language.items():
                bit = self.bits.setdefault(idea, 1 << len(self.bits))
                for word in words.split():
                    self._learn(word, bit)
            english = english or dict(self._words)  # the first language: in others a slip too often makes another word
        self._longest_stem = max(map(len, self._stems), default=0)
        self._english, self._slips = english, _slips_of(english)
        self.of_word = lru_cache(maxsize=8192)(self._of_word)

    def _learn(self, word: str, bit: int) -> None:
        tokens = tuple(words_of(word.replace("_", " ").rstrip("*"))) or (word,)
        if len(tokens) > 1:
            seconds = self._runs.setdefault(tokens[0], {})
            if word.endswith("*"):
                self._open_runs.setdefault(tokens[0], []).append((tokens[:-1], bit, tokens[-1]))
            else:
                seconds.setdefault(tokens[1], []).append((tokens, bit))
        elif word.endswith("*"):
            self._stems[tokens[0]] = self._stems.get(tokens[0], 0) | bit
        else:
            self._words[tokens[0]] = self._words.get(tokens[0], 0) | bit

    def _of_word(self, token: str) -> tuple[int, bool]:
        """The ideas of *token* by itself, and whether runs of tokens begin with it."""
        mask = self._words.get(token, 0)
        for length in range(3, min(len(token), self._longest_stem) + 1):
            mask |= self._stems.get(token[:length], 0)
        if not mask and token not in self._runs and SLIP_LENGTH <= len(token) <= SLIP_LIMIT:
            mask = self._of_slip(token)
        return mask, token in self._runs

    def _of_slip(self, token: str) -> int:
        """The ideas of the word that *token* is but for one letter too many, one missing or two swapped."""
        found = self._slips.get(token, 0)
        if found:
            return found
        for at in range(1, len(token)):
            shorter = token[:at] + token[at + 1 :]
            swapped = token[: at - 1] + token[at] + token[at - 1] + token[at + 1 :]
            found = self._english.get(shorter, 0) if len(shorter) >= SLIP_LENGTH else 0
            if found or (found := self._english.get(swapped, 0)):
                return found
        return 0

    def runs_at(self, tokens: tuple[str, ...], index: int) -> Iterable[tuple[int, int]]:
        """Ideas of the runs of tokens that begin at *index*, with the run's length."""
        if index + 1 >= len(tokens):
            return
        first = tokens[index]
        for run, bit in self._runs[first].get(tokens[index + 1], ()):
            if tokens[index : index + len(run)] == run:
                yield bit, len(run)
        for run, bit, stem in self._open_runs.get(first, ()):
            end = index + len(run)
            if end < len(tokens) and tokens[end].startswith(stem) and tokens[index:end] == run:
                yield bit, len(run) + 1


def _slips_of(words: Mapping[str, int]) -> dict[str, int]:
    """Every long word with one letter left out (never the first), and the ideas it had."""
    slips: dict[str, int] = {}
    for word, mask in words.items():
        if SLIP_LENGTH < len(word) <= SLIP_LIMIT and word.isascii():
            for at in range(1, len(word)):
                slips.setdefault(word[:at] + word[at + 1 :], mask)
    return slips


@dataclass(frozen=True, slots=True)
class Ideas:
    """The ideas found in a reply: all of them, and where each stands."""

    mask: int
    found: tuple[tuple[int, int, int], ...]  #: (bits, first token, last token)


def ideas_in(lexicon: Lexicon, tokens: tuple[str, ...]) -> Ideas:
    """The ideas of *tokens*."""
    total, found = 0, []
    for index, token in enumerate(tokens):
        mask, begins_run = lexicon.of_word(token)
        if mask:
            total |= mask
            found.append((mask, index, index))
        if begins_run:
            for bit, length in lexicon.runs_at(tokens, index):
                total |= bit
                found.append((bit, index, index + length - 1))
    return Ideas(total, tuple(found))


@dataclass(frozen=True, slots=True)
class _Meaning:
    rule: Rule
    needs: tuple[int, ...]
    bars: int


MOST_NEEDS: Final = 4  #: no meaning wants more ideas


class MeaningTable:
    """Finds the first meaning, in table order, whose ideas stand near one another.

    Every meaning is one bit; an idea knows the meanings of which it can be the first, second, third or fourth need, and those it
    bars.  So a few operations on whole numbers leave only the meanings whose ideas are all there, whatever the table's length.
    """

    def __init__(self, rules: Iterable[Rule], lexicon: Lexicon) -> None:
        self._meanings = [self._compile(rule, lexicon) for rule in rules]
        every = (1 << len(self._meanings)) - 1
        self._unwanted = [every] * MOST_NEEDS  # per place among the needs: the meanings that want nothing there
        self._of_idea = {bit: [0] * (MOST_NEEDS + 1) for bit in lexicon.bits.values()}
        for number, meaning in enumerate(self._meanings):
            for place, need in enumerate(meaning.needs):
                self._unwanted[place] &= ~(1 << number)
                self._mark(need, place, number)
            self._mark(meaning.bars, MOST_NEEDS, number)
        self._at_place: dict[int, int] = {}

    def _mark(self, ideas: int, column: int, number: int) -> None:
        for bit, columns in self._of_idea.items():
            if bit & ideas:
                columns[column] |= 1 << number

    @staticmethod
    def _compile(rule: Rule, lexicon: Lexicon) -> _Meaning:
        # `rules` splits at `|` for phrases; a meaning's `|` stands inside its one expression.
        needs, bars = [], 0
        for term in "|".join(rule.wants).split():
            if term.startswith("-"):
                bars |= lexicon.bits[term[1:]]
            else:
                mask = 0
                for idea in term.split("|"):
                    mask |= lexicon.bits[idea]
                needs.append(mask)
        return _Meaning(rule, tuple(needs), bars)

    def _allowed(self, place: int) -> int:
        """The meanings that may fire at *place*, as bits."""
        allowed = self._at_place.get(place)
        if allowed is None:
            allowed = 0
            for number, meaning in enumerate(self._meanings):
                rule = meaning.rule
                if place & rule.need_place == rule.need_place and not place & rule.bar_place:
                    allowed |= 1 << number
            self._at_place[place] = allowed
        return allowed

    def find(self, ideas: Ideas, place: int) -> Hit | None:
        """The first meaning that holds."""
        first, second, third, fourth = self._unwanted
        barred, left, of_idea = 0, ideas.mask, self._of_idea
        while left:
            bit = left & -left
            left ^= bit
            one, two, three, four, bars = of_idea[bit]
            first |= one
            second |= two
            third |= three
            fourth |= four
            barred |= bars
        open_ = first & second & third & fourth & ~barred & self._allowed(place)
        while open_:
            bit = open_ & -open_
            open_ ^= bit
            meaning = self._meanings[bit.bit_length() - 1]
            span = _nearest(ideas.found, meaning.needs)
            if span is not None:
                return meaning.rule, span[0], span[1]
        return None


def _nearest(found: tuple[tuple[int, int, int], ...], needs: tuple[int, ...]) -> tuple[int, int] | None:
    """The shortest run of tokens, at most NEAR long, that holds every need; None when there is none."""
    best: tuple[int, int] | None = None
    for bits, first, last in found:
        if not bits & needs[0]:
            continue
        low, high = first, last
        for need in needs[1:]:
            other = min(
                ((abs(begin - first), begin, end) for mask, begin, end in found if mask & need),
                default=None,
            )
            if other is None:
                return None
            low, high = min(low, other[1]), max(high, other[2])
        if high - low <= NEAR and (best is None or high - low < best[1] - best[0]):
            best = (low, high)
    return best


__all__ = ["LANGUAGES", "Ideas", "Lexicon", "MeaningTable", "PhraseIndex", "fold", "ideas_in"]
