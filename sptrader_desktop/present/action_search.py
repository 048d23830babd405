"""What a few typed letters mean among many names: every word must be found, and how it is found decides who comes first."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache


class How(IntEnum):
    """The better ways first."""

    BEGINNING = 0  # `run` in "Run Backtest"
    WORD = 1  # `back` in "Run Backtest"
    INSIDE = 2  # `test` in "Run Backtest"
    INITIALS = 3  # `rb` in "Run Backtest"
    SCATTERED = 4  # `rbt` in "Run Backtest"


@dataclass(frozen=True, slots=True, order=True)
class Match:
    """The smaller the better. `places` are the letters that were meant, for showing them."""

    worst: How
    sum: int
    length: int
    places: tuple[int, ...]


def match(query: str, text: str) -> Match | None:
    """Nothing asked is found everywhere, with no letter meant."""
    folded = folded_letters(text)
    worst, total, places = How.BEGINNING, 0, set[int]()
    for word in folded_letters(query).split():
        found = how(word, folded)
        if found is None:
            return None
        worst, total = max(worst, found[0]), total + found[0]
        places.update(found[1])
    return Match(worst, total, len(text), tuple(sorted(places)))


@lru_cache(maxsize=8192)  # the names stay, while the query grows letter by letter
def folded_letters(text: str) -> str:
    """Without case, letter for letter: a sign whose small form is longer stays as it is."""
    return "".join(small if len(small := letter.lower()) == 1 else letter for letter in text)


def how(word: str, text: str) -> tuple[How, tuple[int, ...]] | None:
    first = text.find(word)
    if first == 0:
        return How.BEGINNING, span(0, word)
    starts = word_starts(text)
    if first > 0:
        at_word = next((at for at in starts if text.startswith(word, at)), None)
        return (How.INSIDE, span(first, word)) if at_word is None else (How.WORD, span(at_word, word))
    for ways, places in ((How.INITIALS, starts), (How.SCATTERED, range(len(text)))):
        if chosen := in_order(word, text, places):
            return ways, chosen
    return None


@lru_cache(maxsize=8192)
def word_starts(text: str) -> tuple[int, ...]:
    return tuple(at for at, letter in enumerate(text) if letter.isalnum() and (at == 0 or not text[at - 1].isalnum()))


def span(start: int, word: str) -> tuple[int, ...]:
    return tuple(range(start, start + len(word)))


def in_order(word: str, text: str, places: Iterable[int]) -> tuple[int, ...]:
    """The first places whose letters spell the word; none if they do not."""
    rest, chosen = iter(places), []
    for letter in word:
        place = next((place for place in rest if text[place] == letter), None)
        if place is None:
            return ()
        chosen.append(place)
    return tuple(chosen)
