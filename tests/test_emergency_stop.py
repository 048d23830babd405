"""An emergency stop of real processes, in every state: no order byte leaves after the gate, and the broker is found clear."""

import socket
from pathlib import Path

import pytest

from sptrader_desktop.guardian.lines import Message, written
from sptrader_desktop.guardian.pipe import MARK
from tests.guardian_rig import wait_for
from tests.scripted_broker import ScriptedBroker
from tests.stop_trials import STATES, run_trial


@pytest.mark.parametrize("state", STATES)
def test_a_stop_lets_nothing_out_and_leaves_the_broker_clear(state: str, tmp_path: Path) -> None:
    run_trial(state, tmp_path / "live")


def test_the_broker_of_these_trials_sees_an_order_after_the_gate_and_a_close_beyond_zero(tmp_path: Path) -> None:
    lines: list[Message] = [
        {"do": "hello", "account": "a", "since": 0},
        {"do": "place", "id": "before", "kind": "market", "quantity": 5},
        {"do": "ping", "id": MARK},
        {"do": "place", "id": "after", "kind": "limit", "quantity": 1},
        {"do": "close", "id": "too much", "position": "before", "quantity": 6},
        {"do": "hello", "account": "a", "since": 0},
        {"do": "place", "id": "again", "kind": "limit", "quantity": 1},
    ]
    with ScriptedBroker(tmp_path / "broker.sock") as broker, socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as core:
        core.connect(str(broker.path))
        core.sendall(b"".join(written(line) for line in lines))
        wait_for(lambda: "again" in broker.orders, "all lines")
    assert [message["id"] for message in broker.orders_after_the_gate()] == ["after", "too much"]
    assert [message["id"] for message in broker.crossed] == ["too much"]


@pytest.mark.campaign
@pytest.mark.parametrize("number", range(1, 20))
@pytest.mark.parametrize("state", STATES)
def test_two_hundred_stops(state: str, number: int, tmp_path: Path) -> None:
    run_trial(state, tmp_path / "live", number)
