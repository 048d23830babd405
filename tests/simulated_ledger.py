"""What a broker's transactions come to, by schoolbook arithmetic: the oracle for both sides, since it shares no line with either."""

from collections.abc import Mapping

from sptrader_desktop.core.broker_messages import Transaction, What

Holding = tuple[str, int, int, int]  # symbol, side, quantity, price


class Ledger:
    """For accounts in the currency in which everything is quoted. `held[n]` is what was held after transaction n."""

    def __init__(self, capital: int, unit_values: Mapping[str, int]) -> None:
        self._unit_values = unit_values
        self.cash = [capital]
        self.held: list[dict[int, Holding]] = [{}]
        self.filled: dict[str, int] = {}  # of each order, in steps
        self.ended: set[str] = set()
        self.fills = 0
        self.untold = 0  # what the account was given besides

    @property
    def n(self) -> int:
        return len(self.cash) - 1

    def take(self, done: Transaction) -> None:
        assert done.n == self.n + 1, f"transaction {done.n} follows {self.n}"
        held, cash = dict(self.held[-1]), self.cash[-1] - done.commission + done.amount + self.untold
        self.untold = 0
        if done.what is What.FILLED:
            assert done.position not in held, f"position {done.position} is opened twice"
            assert done.quantity > 0 < done.price
            held[done.position] = (done.symbol, done.side, done.quantity, done.price)
            self.filled[done.id] = self.filled.get(done.id, 0) + done.quantity
            self.fills += 1
        elif done.what is What.CLOSED:
            symbol, side, quantity, price = held.pop(done.position)
            assert done.symbol == symbol
            assert 0 < done.quantity <= quantity, f"position {done.position} is closed beyond nothing"
            cash += side * (done.price - price) * done.quantity * self._unit_values[symbol]
            if done.quantity < quantity:
                held[done.position] = (symbol, side, quantity - done.quantity, price)
        elif done.what in {What.CANCELLED, What.EXPIRED, What.REJECTED}:
            self.ended.add(done.id)
        assert done.cash == cash, f"after transaction {done.n} there are {done.cash}, and they should be {cash}"
        self.cash.append(cash)
        self.held.append(held)
