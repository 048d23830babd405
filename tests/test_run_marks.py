"""Where signals point and where a run was halted, from runs small enough to be checked by eye."""

from sptrader_desktop.present.run_marks import halts, signal_marks
from tests.small_runs import CROSSES, FIRST, HOUR_US, TEXT, small_run


def test_an_event_points_where_the_entry_goes_that_it_satisfies() -> None:
    cross, filtered = signal_marks(small_run(), 0)
    sides = {"up": 1, "down": -1, "out": 0}
    assert cross.name == "cross"
    assert [*zip(cross.bar.tolist(), cross.direction.tolist(), strict=True)] == [(bar, sides[kind]) for bar, kind, _ in CROSSES]
    assert (filtered.bar.tolist(), filtered.direction.tolist()) == ([0, 5], [1, 1])


def test_what_both_sides_ask_for_points_nowhere_and_what_must_not_happen_neither() -> None:
    both = TEXT.replace("crossover_type: down", "crossover_type: up")
    cross, _ = signal_marks(small_run(text=both), 0)
    assert set(cross.direction.tolist()) == {0}
    only_denied = TEXT.replace('{signal: filter, outputs: {signal_strength: "> 0.5"}}, ', "")
    assert set(signal_marks(small_run(text=only_denied), 0)[1].direction.tolist()) == {0}


def test_a_run_without_limits_has_no_halt_and_a_drawdown_has_one() -> None:
    assert halts(small_run()) == []
    limited = TEXT + "risk: {max_drawdown: 0.001}\n"
    (halt,) = halts(small_run(text=limited))
    assert halt.reason in {"drawdown limit", "loss limit"}
    assert FIRST < halt.instant <= FIRST + 10 * HOUR_US


def test_a_daily_limit_is_marked_once_a_day() -> None:
    losing = TEXT.replace("action: buy", "action: sell") + "risk: {daily_loss_limit: 0.0001}\n"
    assert len(halts(small_run(text=losing))) == 1
