"""A run at work: it is followed and stopped at the foot of the panel that asked for it."""

import threading

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from sptrader_desktop.ui.host import Host
from sptrader_desktop.ui.jobs import THREADS, Report
from sptrader_desktop.ui.run_foot import QUEUED, RunFoot


@pytest.fixture
def foot(qtbot: QtBot) -> RunFoot:
    made = RunFoot()
    qtbot.addWidget(made)
    made.show()
    return made


def test_a_run_is_followed_with_the_time_left_and_stopped_by_the_button(foot: RunFoot, host: Host, qtbot: QtBot) -> None:
    go_on = threading.Event()

    def work(report: Report) -> None:
        report.begin()
        report._began = (report._began or 0) - 30  # it began half a minute ago
        while not go_on.wait(0.005):
            report(0.25, "12 trades")

    job = host.jobs.start("backtest", "backtest", work)
    foot.cancelAsked.connect(lambda: host.jobs.cancel(job))
    foot.follow(job)
    assert not foot.run.isEnabled()
    qtbot.waitUntil(lambda: "left" in foot.left.text())
    assert foot.left.text() == "1 min 30 s left"
    assert foot.words.whole_text() == "12 trades"
    assert foot.bar.value() == foot.bar.maximum() // 4
    QTest.mouseClick(foot.cancel, Qt.MouseButton.LeftButton)
    assert foot.cancel.text() == "Stopping …"
    qtbot.waitUntil(lambda: job.is_over)
    assert foot.run.isEnabled()
    assert not foot.bar.isVisible()
    assert not foot.cancel.isVisible()


def test_a_second_run_waits_visibly_and_the_end_of_the_first_does_not_end_it(foot: RunFoot, host: Host, qtbot: QtBot) -> None:
    gates = threading.Event(), threading.Event()
    first = host.jobs.start("backtest", "first", lambda _: gates[0].wait())
    foot.follow(first)
    second = host.jobs.start("backtest", "second", lambda _: gates[1].wait())
    foot.follow(second)
    assert foot.words.whole_text() == QUEUED
    gates[0].set()
    qtbot.waitUntil(lambda: first.is_over)
    said = foot.words.whole_text()
    assert not foot.run.isEnabled()
    gates[1].set()
    qtbot.waitUntil(lambda: second.is_over)
    assert said == "second", "it waited no more, though it had told nothing yet"
    assert foot.run.isEnabled()


def test_a_run_that_waits_for_no_other_never_says_so(foot: RunFoot, host: Host, qtbot: QtBot) -> None:
    gate = threading.Event()
    others = [host.jobs.start(f"other {number}", "other", lambda _: gate.wait()) for number in range(THREADS)]
    run = host.jobs.start("backtest", "the run", lambda _: None)  # no thread has begun it yet
    foot.follow(run)
    said = foot.words.whole_text()
    gate.set()
    qtbot.waitUntil(lambda: all(job.is_over for job in (*others, run)))
    assert said == "the run"
