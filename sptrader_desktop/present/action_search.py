"""What a few typed letters mean among many names: every word must be found, and how it is found decides who comes first."""

from dataclasses import dataclass
from enum import IntEnum


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


def folded_letters(text: str) -> str:
    """Without case, letter for letter: a sign whose small form is longer stays as it is."""
    return "".join(small if len(small := letter.lower()) == 1 else letter for letter in text)


def how(word: str, text: str) -> tuple[How, tuple[int, ...]] | None:
    starts = [at for at, letter in enumerate(text) if letter.isalnum() and (at == 0 or not text[at - 1].isalnum())]
    if text.startswith(word):
        return How.BEGINNING, span(0, word)
    for at in starts:
        if text.startswith(word, at):
            return How.WORD, span(at, word)
    if (at := text.find(word)) >= 0:
        return How.INSIDE, span(at, word)
    for ways, places in ((How.INITIALS, starts), (How.SCATTERED, range(len(text)))):
        if chosen := in_order(word, text, places):
            return ways, chosen
    return None


def span(start: int, word: str) -> tuple[int, ...]:
    return tuple(range(start, start + len(word)))


def in_order(word: str, text: str, places: list[int] | range) -> tuple[int, ...]:
    """The first places whose letters spell the word; none if they do not."""
    chosen: list[int] = []
    for place in places:
        if len(chosen) < len(word) and text[place] == word[len(chosen)]:
            chosen.append(place)
    return tuple(chosen) if len(chosen) == len(word) else ()
