"""The ids of what an account asks for: counted, so that each that was ever given is known for its own without being kept.

Of the orders in the tables it knows the id by the row and the row by the id, as long as the rows are there.
"""

from collections.abc import Sequence

from sptrader_desktop.core.live_book import number_in


class OwnIds:
    def __init__(self, account: str) -> None:
        self._account = account
        self._prefix = f"{account}-"
        self._given = 0
        self._orders: dict[str, int] = {}
        self._ids: list[str] = []  # of each row; one that somebody else filled is there too

    def begin_with(self, tag: str) -> None:
        """From here on no id is one that was given before this account was begun anew: a broker does nothing twice by the same id."""
        self._prefix = f"{self._account}-{tag}-"

    def next(self) -> str:
        self._given += 1
        return f"{self._prefix}{self._given}"

    def gave(self, name: str) -> bool:
        """However long ago."""
        number = number_in(name.removeprefix(self._prefix))
        return 0 < number <= self._given and name == f"{self._prefix}{number}"

    def are_like(self, name: str) -> bool:
        """What has our form and was not given here was asked for by another copy of this account."""
        return name.startswith(f"{self._account}-")

    def placed(self, name: str, *, is_own: bool = True) -> None:
        """By the next row."""
        if is_own:
            self._orders[name] = len(self._ids)
        self._ids.append(name)

    def row(self, name: str) -> int:
        return self._orders.get(name, -1)

    def of_row(self, number: int) -> str:
        return self._ids[number]

    def keep(self, rows: Sequence[int]) -> None:
        """These are the first ones now, in this order, and the others are gone."""
        moved = {row: number for number, row in enumerate(rows)}
        self._orders = {name: moved[row] for name, row in self._orders.items() if row in moved}
        self._ids = [self._ids[row] for row in rows]
