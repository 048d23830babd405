"""An emergency stop of real processes, in every state: no order byte leaves after the gate, and the broker is found clear."""

from pathlib import Path

import pytest

from tests.stop_trials import STATES, run_trial


@pytest.mark.parametrize("state", STATES)
def test_a_stop_lets_nothing_out_and_leaves_the_broker_clear(state: str, tmp_path: Path) -> None:
    run_trial(state, tmp_path / "live")


@pytest.mark.campaign
@pytest.mark.parametrize("number", range(1, 20))
@pytest.mark.parametrize("state", STATES)
def test_two_hundred_stops(state: str, number: int, tmp_path: Path) -> None:
    run_trial(state, tmp_path / "live", number)
