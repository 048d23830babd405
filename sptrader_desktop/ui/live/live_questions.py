"""What is asked before a live session is stopped, ended, armed again, or money moves by hand; from wherever in the window it was wanted."""

from collections.abc import Callable
from functools import partial
from typing import Any

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QLabel, QWidget

from sptrader_desktop.present import live_guard, live_view
from sptrader_desktop.ui.data.parts import line
from sptrader_desktop.ui.live.live_session import LiveSession
from sptrader_desktop.ui.live.question import Question
from sptrader_desktop.ui.theme.roles import give

NOTHING: dict[str, Any] = {"latched": {}, "state": "", "gate": "", "risk": ()}  # of a session that has not spoken
STOP = "Emergency stop"
STOP_WORDS = "Until a person re-arms, no order leaves any more; working orders are cancelled."


class LiveQuestions(QObject):
    def __init__(self, session: LiveSession, window: QWidget) -> None:
        super().__init__(window)
        self.session, self._window = session, window
        self._open: Question | None = None

    @property
    def may_rearm(self) -> bool:
        """Whether something waits for a person."""
        session = self.session
        return session.is_stopped or (session.is_attached and live_view.waits_for_person(session.state or {}))

    def ask_emergency_stop(self) -> None:
        """Once, whether positions go too. Asked for again meanwhile it stops at once, and keeps them."""
        if self._open is not None and self._open.objectName() == "emergencyStopQuestion":
            self._open.close()
            self._stop_everything(flatten=False)
            return
        key = live_guard.hot_key_words(self.session.guard)
        asked = self._ask("emergencyStopQuestion", STOP, "\n\n".join(filter(None, (f"{STOP_WORDS}{self._held()}", key))))
        keep = partial(self._stop_everything, flatten=False)
        tip = "Positions stay with the stops that the broker holds"
        asked.answer("stopKeepButton", "Stop, Keep Positions", keep, tip=tip, tone="danger")
        close = partial(self._stop_everything, flatten=True)
        asked.answer("stopFlattenButton", "Stop and Close All", close, tip="Every position is closed at the market", tone="danger")
        asked.leave("stopNotButton", "Do Not Stop")
        asked.open()

    def ask_end(self, at_stop: str = "ask") -> None:
        """Where nothing is open, or a person said beforehand what is to be done, nothing is asked."""
        state = self.session.state
        if state is None or not (state["positions"] or state["plug"]["working_orders"]) or at_stop == "keep":
            self.session.end(closes=False)
        elif at_stop == "close":
            self.session.end(closes=True)
        else:
            words = "What stays open is still at the broker, with its stops, and nobody here watches it."
            asked = self._ask("endLiveQuestion", "End the live session", f"{words}{self._held()}")
            asked.answer("endKeepButton", "End, Keep Positions", partial(self.session.end, closes=False))
            tip = "Every position is closed at the market, every order cancelled; then it ends"
            asked.answer("endCloseButton", "Close All, Then End", partial(self.session.end, closes=True), tip=tip)
            asked.leave("endNotButton", "Go On")
            asked.open()

    def ask_rearm(self) -> None:
        self.ask_rearm_of("")

    def ask_rearm_of(self, symbol: str) -> None:
        """With a reason, which is written down. Where only symbols are halted, they are armed and nothing else; `symbol` alone if it is."""
        halted = {} if self.session.is_stopped else live_view.halted_alone(self.session.state or NOTHING)
        symbols = [symbol] if symbol in halted else sorted(halted)
        stands = " ".join(f"{each} is halted: {halted[each]}." for each in symbols) or self._what_stands()
        names = ", ".join(symbols)
        what = f"{names} may be entered again, and limits of {names}" if symbols else "orders may pass again, and limits"
        asked = self._ask("rearmQuestion", "Re-arm", f"{stands} From here on {what} count anew.")
        reason, problem = line("rearmReason", "Why may it trade again?", "Why may it trade again?"), QLabel()
        reason.setMaxLength(live_guard.LONGEST_REASON)
        problem.setObjectName("rearmProblem")
        give(problem, tone="danger")
        tip = "The reason is kept in the journal of the session, and in the guardian's log"
        go = asked.answer(
            "rearmNowButton", f"Re-arm {names}".rstrip(), lambda: self.session.rearm(reason.text(), symbols), tip=tip, role="primary"
        )
        asked.leave("rearmNotButton", "Leave It Stopped")
        asked.ask_for(reason, problem)

        def look() -> None:
            words = live_guard.reason_problem(reason.text())
            go.setEnabled(not words)
            problem.setText(words)

        reason.textChanged.connect(look)
        go.setEnabled(False)
        asked.open()

    def ask_close(self, number: str) -> None:
        found = [row for row in (self.session.state or {}).get("positions", ()) if str(row["number"]) == number]
        if found:
            worth = live_view.worth_words(found[0], self.session.state or {})
            words = f"{live_view.position_words(found[0])}: all of it, at the market. What it was worth last: {worth}."
            asked = self._ask("closePositionQuestion", "Close this position", words)
            asked.answer("closeNowButton", "Close Now", partial(self.session.command, "close", number), role="primary")
            asked.leave("closeNotButton", "Keep It")
            asked.open()

    def _held(self) -> str:
        if self.session.state is None:
            return "\n\nNo live session runs here now."
        return "\n".join(["\n\nOpen now:", *(live_view.open_lines(self.session.state) or ["nothing"])])

    def _what_stands(self) -> str:
        guard, state = self.session.guard, self.session.state
        if guard is not None and self.session.is_stopped:
            return f"Stopped by {guard['latch']['by']}."
        return f"{live_view.headline(state)}. {live_view.reason_words(state)}." if state else ""

    def _stop_everything(self, *, flatten: bool) -> None:
        self.session.emergency_stop(flatten)

    def _ask(self, name: str, title: str, words: str) -> Question:
        """One at a time: what is asked last counts."""
        if self._open is not None:
            self._open.close()
        asked = Question(name, title, words, self._window)
        self._open = asked
        asked.finished.connect(self._gone(asked))
        return asked

    def _gone(self, asked: Question) -> Callable[[int], None]:
        def forget(_result: int) -> None:
            if self._open is asked:
                self._open = None

        return forget
