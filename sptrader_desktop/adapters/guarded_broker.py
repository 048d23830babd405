"""The broker as the core reaches it: through the guardian, which passes lines on or refuses them."""

import json
from collections.abc import AsyncIterator, Callable

from sptrader_desktop.adapters.broker_line_values import BrokerLineError
from sptrader_desktop.adapters.broker_lines import answer_in, line_of
from sptrader_desktop.adapters.guardian_link import GuardianLink, OrderLine
from sptrader_desktop.core.broker_messages import Answer, Asked
from sptrader_desktop.core.errors import MachineError

HELLO = "hello of the core"  # as the gate says what it waits for


class GuardedLine:
    """`gate` is told whenever the guardian says that it is open or shut."""

    def __init__(self, line: OrderLine, gate: Callable[[bool, str], None], fault: Callable[[str], None]) -> None:
        self._line, self._gate, self._fault = line, gate, fault

    def send(self, asked: Asked) -> bool:
        return self._line.send(json.loads(line_of(asked)))

    async def received(self) -> AsyncIterator[Answer]:
        """A line that nobody can read ends the connection: the next one brings every transaction again. So does a gate that waits only
        for our hello, after somebody re-armed it or we were not heard for a moment."""
        async for message in self._line.received():
            if message.get("is") == "gate":
                why = [str(reason) for reason in message.get("why") or ()]
                self._gate(bool(message.get("open")), ", ".join(why))
                if why == [HELLO]:
                    self.cut()  # nothing else keeps it shut: the next line says hello
                    return
                continue
            try:
                yield answer_in(json.dumps(message).encode())
            except BrokerLineError as error:
                self._fault(f"the broker said what cannot be understood ({error}): it is asked again")
                self.cut()
                return

    def cut(self) -> None:
        self._line.cut()


class GuardedBroker:
    def __init__(self, link: GuardianLink, gate: Callable[[bool, str], None], fault: Callable[[str], None]) -> None:
        self._link, self._gate, self._fault = link, gate, fault

    async def open(self, account: str, since: int) -> GuardedLine:
        """A guardian that is gone is started again, and one that did not hear us for a while hears us again; what was stopped stays so."""
        try:
            if not self._link.is_heard:
                raise MachineError("the guardian did not answer")
            line = await self._link.order_line(account, since)
        except MachineError:
            await self._link.close()
            await self._link.open()
            line = await self._link.order_line(account, since)
        return GuardedLine(line, self._gate, self._fault)
