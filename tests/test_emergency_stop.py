"""An emergency stop of real processes, in every state: no order byte leaves after the gate, and the broker is found clear."""

from pathlib import Path

import pytest

from tests.stop_trials import STATES, run_trial


@pytest.mark.parametrize("state", STATES)
def test_a_stop_lets_nothing_out_and_leaves_the_broker_clear(state: str, tmp_path: Path) -> None:
    run_trial(state, tmp_path / "live")


@pytest.mark.campaign
def test_two_hundred_stops_in_every_state(tmp_path: Path) -> None:
    gates = []
    for number in range(200):
        state = list(STATES)[number % len(STATES)]
        gates.append(run_trial(state, tmp_path / str(number), number).gate)
    assert len(gates) == 200
