"""What lessens risk, was asked of a broker and did not come about: it is wanted all the same, and asked again when the broker hears us."""

from dataclasses import dataclass, field

from sptrader_desktop.core.live_book import Book


@dataclass(slots=True)
class Undone:
    """By our numbers of positions. Whatever ended one meanwhile ends what was wanted of it."""

    closes: dict[int, tuple[int, int]] = field(default_factory=dict)  # steps that were to be closed, and why
    levels: set[int] = field(default_factory=set)  # whose trailing level the broker does not have

    @property
    def is_empty(self) -> bool:
        return not (self.closes or self.levels)

    def order(self, book: Book) -> list[tuple[int, int]]:
        """Mark what is to be closed; gives positions and the trailing levels to be moved."""
        closes, levels, self.closes, self.levels = self.closes, self.levels, {}, set()
        for number, (steps, reason) in closes.items():
            index = book.position(number)
            if index >= 0 and not book.state.positions["closing"][index]:
                book.order_close(number, reason)
                row = book.state.positions[index]
                row["closing"] = min(steps, int(row["quantity"]))
        found = [(number, book.position(number)) for number in sorted(levels)]
        return [(number, int(book.state.positions["trail"][index])) for number, index in found if index >= 0]
