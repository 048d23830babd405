"""The guide as pages: a heading and what stands under it until the next one, found by its anchor, by words and by what is asked about."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

HEADING = re.compile(r"(#{1,3}) (.+)")
LINK = re.compile(r"\]\(([^)\s]+)\)")
START = "the-window"
# The page about a widget, by the name of it or of what it lies in.
TOPICS = {
    "backtestPanel": "running-a-backtest",
    "financingAnswer": "instruments-and-financing",
    "instrumentsAnswer": "instruments-and-financing",
    "commissionAnswer": "running-a-backtest",
    "finerAnswer": "candle-files",
    "whatIfPanel": START,
    "explainPane": "explain",
    "resultsPanel": "reading-the-report",
    "decisions": "why-an-entry-was-not-placed",
    "trades": "why-a-trade-ended",
    "runHistory": "handing-a-run-on",
    "comparePanel": START,
    "equityChart": "the-chart",
    "candleChart": "the-chart",
    "navigator": START,
    "logPane": "when-something-goes-wrong-in-the-window",
    "strategyEditor": "strategy-files",
    "componentEditor": "writing-a-component",
    "componentOutput": "trying-a-component",
    "dataPage": "candle-files",
    "doctorPanel": "the-data-doctor",
    "databasePanel": "databases-and-live-prices",
    "downloadPanel": "free-history",
    "settingsDialog": "the-look-and-the-keys-of-the-window",
}


@dataclass(frozen=True, slots=True)
class Page:
    """`level` 1 is a document's title; `document` its file's name."""

    document: str
    level: int
    title: str
    text: str

    @property
    def anchor(self) -> str:
        return re.sub(r"[^\w\- ]", "", self.title.lower()).replace(" ", "-")


def pages(text: str, document: str) -> tuple[Page, ...]:
    """In order; a line in a block of code is no heading."""
    found: list[tuple[int, str, list[str]]] = []
    is_code = False
    for line in text.splitlines():
        is_code ^= line.startswith("```")
        heading = None if is_code else HEADING.fullmatch(line)
        if heading:
            found.append((len(heading[1]), heading[2], [line]))
        elif found:
            found[-1][2].append(line)
    return tuple(Page(document, level, title, "\n".join(lines) + "\n") for level, title, lines in found)


def page_of(guide: Sequence[Page], link: str, document: str) -> Page | None:
    """What a link in `document` leads to, if it is a page of the guide."""
    name, _, anchor = link.partition("#")
    if ":" in name:
        return None
    own = [page for page in guide if page.document == (name.rpartition("/")[2] or document)]
    return next((page for page in own if page.anchor == anchor), None) if anchor else next(iter(own), None)


def topic(names: Sequence[str]) -> str:
    """The anchor of the page about what has the keyboard; `names` are those of it and of what it lies in, from within outwards."""
    return next((TOPICS[name] for name in names if name in TOPICS), START)


def search(guide: Sequence[Page], words: str) -> list[Page]:
    """Pages that hold every word, those first whose heading does."""
    wanted = words.lower().split()
    holding = [page for page in guide if all(word in page.text.lower() for word in wanted)]
    return sorted(holding, key=lambda page: not all(word in page.title.lower() for word in wanted))


def links(page: Page) -> Iterator[str]:
    yield from LINK.findall(page.text)
