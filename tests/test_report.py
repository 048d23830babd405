"""The report, compared as a whole: what it looks like is what is tested."""

from decimal import Decimal

import pytest

from sptrader_desktop.core.terms import Commission
from sptrader_desktop.present.numbers import Unit, amount, clock, duration, figure, plain, share
from sptrader_desktop.present.report import report, sparkline
from sptrader_desktop.present.report_tables import WIDTH
from sptrader_desktop.runtime.backtest import backtest
from tests.small_runs import TEXT, request, runner, small_run

TRADED = """\
by_eye 2
────────────────────────────────────────────────────────────────────────────────────────────────
Candles    EURUSD 1h bid, 2024-01-02 08:00 to 2024-01-02 17:00 UTC, 10 bars
           coverage 100.00 %, no suspicious bar
Parameters size 10,000, stop 20
Account    10,000.00 USD, leverage 30
Costs      no spread, no slippage, commission 3.5 USD a lot per fill
Fills      at the next open; stop and target in one bar: the stop counts first

Net        +12.20 USD (+0.12 %), between +12.20 and +62.20
           1 of 4 trades ambiguous
           10,000.00 became 10,012.20 USD

Equity     ▁▁██▃▃▃▃▃▃
           lowest 10,000.00, highest 10,029.30 USD

Trades                                       4    Largest drawdown                        0.21 %
  long, short                             4, 0    Longest under water                      6.0 h
Won                                     75.0 %    Sharpe (daily)                               –
Profit factor                             1.59    Sortino (daily)                              –
Average trade                        +3.05 USD    Calmar                                       –
Average win                         +10.97 USD    Growth a year                                –
Average loss                        -20.70 USD    In the market                           70.0 %
Best, worst                 +29.30, -20.70 USD    Commission                           -2.80 USD
Average held                            45 min    Financing                             0.00 USD

Period   Net USD   Growth  Trades     Won
2024-01   +12.20  +0.12 %       4  75.0 %

Session   Net USD  Trades      Won
Asia         0.00       0        –
London      +8.60       2   50.0 %
New York    +3.60       2  100.0 %
other        0.00       0        –

Trade  Side  Entered UTC       Reason             Held  Quantity    Entry     Exit  Net USD
1      long  2024-01-02 09:00  take_profit       1.0 h    10,000  1.10000  1.10300   +29.30
2?     long  2024-01-02 12:00  stop_loss    in its bar    10,000  1.10300  1.10100   -20.70
3      long  2024-01-02 14:00  signal_exit       2.0 h    10,000  1.10410  1.10440    +2.30
4      long  2024-01-02 17:00  end_of_data  in its bar    10,000  1.10450  1.10470    +1.30
?      ambiguous: stop and target lay in one bar, or the entry's own bar touched one

Why not more trades
  cross    7 events: down 1, out 1, up 5
  filter   2 events: on 2
  entry 1  buy: conditions held on 5 of 10 bars; 4 orders placed
                 1  already_in: enough was open this way; see `scale_in` and `max_positions`
  entry 2  sell: conditions held on 1 of 10 bars; 0 orders placed
                 1  opposite: something was open the other way; see `reverse`
"""

NOTHING = """\
by_eye 2
────────────────────────────────────────────────────────────────────────────────────────────────
Candles    EURUSD 1h bid, 2024-01-02 08:00 to 2024-01-02 17:00 UTC, 10 bars
           coverage 100.00 %, no suspicious bar
Parameters size 10,000, stop 20
Account    10,000.00 USD, leverage 30
Costs      no spread, no slippage, commission 3.5 USD a lot per fill
Fills      at the next open; stop and target in one bar: the stop counts first

Net        no trades; the account still holds 10,000.00 USD

Why not more trades
  cross    no event: check its parameters and the length of the data
  filter   2 events: on 2
  entry 1  buy: conditions held on 0 of 10 bars; 0 orders placed
  entry 2  sell: conditions held on 0 of 10 bars; 0 orders placed
  `sptrader explain RUN --at TIME` says which condition failed on a bar
"""


def test_a_run_reads_like_this() -> None:
    assert report(small_run()) == TRADED


def test_a_run_without_trades_says_why() -> None:
    assert report(small_run(())) == NOTHING


def test_no_line_is_wider_than_a_hundred_columns_even_with_large_figures() -> None:
    wide = TEXT.replace("size: 10000", "size: 9000000").replace("fast", "rather_long_name")
    lines = report(small_run(text=wide, capital=Decimal("98765432.1"), leverage=Decimal(500))).splitlines()
    assert max(map(len, lines)) <= 100
    assert max(len(line) for line in lines if "▁" in line) <= WIDTH


def test_of_many_trades_the_first_and_the_last_are_shown() -> None:
    many = [(bar, "up" if bar % 2 == 0 else "out", 0.75) for bar in range(24)]
    flat = [(0, 10, -10, 0)] * 26
    lines = report(backtest(request(bars=flat), runner(many))).splitlines()
    first = next(i for i, line in enumerate(lines) if line.startswith("Trade "))
    assert [line.split()[0] for line in lines[first + 1 : first + 12]] == ["1", "2", "3", "4", "5", "…", "8", "9", "10", "11", "12"]
    assert lines[first + 6] == "…      2 more trades"


def test_costs_are_named_with_their_units() -> None:
    costs = Commission(per_lot=Decimal("3.5"), percent=Decimal("0.00002"), minimum=Decimal(1))
    lines = report(small_run(commission=costs, slippage_pips=Decimal("0.2"), spread_pips=Decimal(1))).splitlines()
    assert lines[6:8] == [
        "Costs      spread 1 pip, slippage 0.2 pips",
        "           commission 3.5 USD a lot and 0.002 % of notional, at least 1 USD per fill",
    ]


def test_an_equity_line_keeps_the_lowest_and_the_highest_apart() -> None:
    assert sparkline([0, 1, 2, 3, 4, 5, 6, 7], 8) == "▁▂▃▄▅▆▇█"
    assert sparkline([5, 5, 5], 8) == "▁▁▁"
    assert sparkline(list(range(100)), 2) == "▁█"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (amount(123_456_789_012_345), "1,234,567.89"),
        (amount(-500_000), "0.00"),  # half a cent goes to the even one
        (amount(-1_500_000, signed=True), "-0.02"),
        (amount(400_000, signed=True), "0.00"),
        (amount(41_230_000_000, signed=True), "+412.30"),
        (share(-0.00001, signed=True), "0.00 %"),
        (share(None), "–"),
        (figure(1234.5, signed=True), "+1,234.50"),
        (plain(Decimal("10000.50")), "10,000.5"),
        (plain(Decimal("1E+5")), "100,000"),
        (duration(0.75), "45 min"),
        (duration(47.9), "47.9 h"),
        (duration(72), "3.0 d"),
        (clock(1_704_188_400_000_000), "2024-01-02 09:40"),
        (clock(1_704_188_401_000_000), "2024-01-02 09:40:01"),
        (Unit.of(Decimal("0.00001")).text(-5), "-0.00005"),
        (Unit.of(Decimal("0.25")).text(7), "1.75"),
        (Unit.of(Decimal(1)).text(10_000), "10000"),
        (Unit.of(Decimal(10)).text(3), "30"),
    ],
)
def test_numbers_look_like(text: str, expected: str) -> None:
    assert text == expected
