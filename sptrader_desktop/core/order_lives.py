"""Where every request to the broker is in its life, by `core.orders`' table; what is sent and untold is unknown.

Of those that are over only the last are remembered: whatever a broker still says of one before them was waited for by nobody.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from sptrader_desktop.core.broker_messages import Cancel, Close, Place, Request, Transaction, What
from sptrader_desktop.core.orders import OrderState, is_late, moved

S = OrderState
OVER = frozenset({S.FILLED, S.CANCELLED, S.EXPIRED, S.REJECTED, S.LAPSED})
ENDINGS = frozenset({What.CANCELLED, What.EXPIRED, What.REJECTED, What.CANCEL_REJECTED})
REMEMBERED = 1_000  # of those that are over


@dataclass(slots=True)
class Life:
    """`filled` of `quantity` steps; a `Protect` or `Cancel` has none and is done when it is answered."""

    request: Request
    state: OrderState
    asked_at: int
    quantity: int
    filled: int = 0
    why: str = ""

    @property
    def left(self) -> int:
        return self.quantity - self.filled


class OrderLives:
    def __init__(self, remembered: int = REMEMBERED) -> None:
        self._remembered = remembered
        self._lives: dict[str, Life] = {}
        self._open: dict[str, None] = {}  # those that are not over, oldest first
        self._over: dict[str, None] = {}  # those that are, in the order in which they ended

    def __getitem__(self, name: str) -> Life:
        return self._lives[name]

    def get(self, name: str) -> Life | None:
        return self._lives.get(name)

    def forget(self) -> None:
        """What is over for longest; called where nobody holds on to what ended just now."""
        while len(self._over) > self._remembered:
            name = next(iter(self._over))
            del self._over[name], self._lives[name]

    def going(self) -> Iterator[tuple[str, Life]]:
        return ((name, self._lives[name]) for name in self._open)

    def unknown(self) -> list[str]:
        return [name for name in self._open if self._lives[name].state is S.SENT]

    def is_asked_again(self, name: str) -> bool:
        """A cancel is, until its order is over: its id makes one of however many. Nothing else ever is."""
        request = self._lives[name].request
        return isinstance(request, Cancel) and request.order in self._open

    def is_cancelling(self, order: str) -> bool:
        return any(isinstance(life.request, Cancel) and life.request.order == order for _, life in self.going())

    def is_closing(self, position: int) -> bool:
        """By the broker's number."""
        return any(isinstance(life.request, Close) and life.request.position == position for _, life in self.going())

    def ask(self, request: Request, at: int) -> None:
        """An intent is sent with the commit that writes it down: between the two lies no moment at which anything else happens."""
        quantity = request.quantity if isinstance(request, Place | Close) else 0
        life = Life(request, moved(moved(S.CREATED, S.INTENT), S.SENT), at, quantity)
        self._lives[request.id] = life
        self._open[request.id] = None
        order = self._lives.get(request.order) if isinstance(request, Cancel) and request.order in self._open else None
        if order is not None and order.state not in (S.SENT, S.CANCEL_PENDING):  # what is unknown stays so: it may never have come
            order.state = moved(order.state, S.CANCEL_PENDING)

    def lapse(self, name: str) -> None:
        life = self._lives[name]
        self._move(name, life, S.LAPSED)
        self._work_on(life.request)

    def tell(self, done: Transaction) -> bool:
        """Whether that came too late: a fill of what was over, or at work though it was given up for lost."""
        life = self._lives.get(done.id)
        if life is None:
            if done.what in ENDINGS:
                self._end_cancels(done.id)
            return False
        if life.state in OVER and done.what in ENDINGS:  # what we gave up for lost may come late, and be refused
            return False
        match done.what:
            case What.FILLED | What.CLOSED:
                late = is_late(life.state, S.FILLED) or life.state is S.FILLED  # the broker has the last word, even of more than was asked
                life.filled += done.quantity
                if life.state is S.FILLED:
                    return True
                self._move(done.id, life, S.FILLED if life.left <= 0 else S.PARTIALLY_FILLED)
                return late
            case What.ACCEPTED:
                late = is_late(life.state, S.OPEN)
                if late or life.state is S.SENT:
                    self._move(done.id, life, S.OPEN)
                return late
            case What.PROTECTED:
                self._move(done.id, life, S.FILLED)
            case What.CANCELLED | What.EXPIRED:
                self._move(done.id, life, S.CANCELLED if done.what is What.CANCELLED else S.EXPIRED)
            case What.REJECTED | What.CANCEL_REJECTED:
                life.why = done.reason
                self._refuse(done.id, life)
            case What.FINANCED:
                pass
        return False

    def _refuse(self, name: str, life: Life) -> None:
        self._move(name, life, S.REJECTED)
        self._work_on(life.request)

    def _work_on(self, request: Request) -> None:
        """An order whose cancel will not come works as before."""
        order = self._lives.get(request.order) if isinstance(request, Cancel) else None
        if order is not None and order.state is S.CANCEL_PENDING:
            order.state = moved(order.state, S.PARTIALLY_FILLED if order.filled else S.OPEN)

    def _move(self, name: str, life: Life, to: OrderState) -> None:
        life.state = moved(life.state, to)
        if to in OVER:
            self._end(name)
            self._end_cancels(name)
        else:
            self._over.pop(name, None)
            self._open[name] = None

    def _end(self, name: str) -> None:
        self._open.pop(name, None)
        self._over[name] = None

    def _end_cancels(self, order: str) -> None:
        """A cancel has done its work, or has nothing left to cancel, when its order is over."""
        for name, life in list(self.going()):
            if isinstance(life.request, Cancel) and life.request.order == order:
                life.state = S.FILLED
                self._end(name)
