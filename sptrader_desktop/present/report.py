"""The report of a run as a terminal shows it: what was tested, what came of it, how sure that is, and why not more."""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING

from sptrader_desktop.core.candles import Candles
from sptrader_desktop.core.terms import Commission, Terms
from sptrader_desktop.present.data_quality import data_quality, quality_line
from sptrader_desktop.present.numbers import amount, clock, counted, duration, figure, plain, share
from sptrader_desktop.present.report_reasons import reasons
from sptrader_desktop.present.report_tables import WIDTH, periods, sessions, trade_list

if TYPE_CHECKING:
    from sptrader_desktop.core.results import Result

BARS = "▁▂▃▄▅▆▇█"
LABEL = 11
FILLS = {"next_open": "at the next open", "close": "at the deciding close"}
POLICIES = {"stop_first": "the stop counts first", "target_first": "the target counts first"}


def report(result: "Result") -> str:
    parts = [header(result), outcome(result)]
    if len(result.outcome.trades):
        parts += [equity_line(result), key_figures(result), periods(result), sessions(result), trade_list(result)]
    parts.append(reasons(result))
    return "\n\n".join("\n".join(part) for part in parts if part) + "\n"


def header(result: "Result") -> list[str]:
    request = result.request
    strategy, terms = request.strategy, request.terms
    title = f"{strategy.name} {strategy.version}"
    return [
        title,
        "─" * WIDTH,
        *_data(result),
        *_parameters(strategy.parameters),
        _labelled("Account", f"{_money(terms.capital)} {terms.currency}, leverage {plain(terms.leverage)}"),
        *(_labelled("" if i else "Costs", text) for i, text in enumerate(_costs(terms, request.traded))),
        _labelled("Fills", f"{FILLS[terms.fill]}; stop and target in one bar: {POLICIES[terms.intrabar]}"),
    ]


def _data(result: "Result") -> Iterator[str]:
    for i, (candles, quality) in enumerate(zip(result.request.traded, data_quality(result), strict=True)):
        yield _labelled("" if i else "Candles", _candles(candles))
        yield _labelled("", quality_line(quality))


def _candles(candles: Candles) -> str:
    sides = ("synthetic " if candles.is_synthetic else "") + ("bid and ask" if candles.ask is not None else candles.side)
    if not len(candles):
        return f"{candles.symbol} {candles.timeframe}, no bars"
    first, last = clock(int(candles.timestamp[0])), clock(int(candles.timestamp[-1]))
    return f"{candles.symbol} {candles.timeframe} {sides}, {first} to {last} UTC, {counted(len(candles), 'bar')}"


def _parameters(parameters: dict[str, Decimal | str | bool]) -> list[str]:
    """Wrapped between items, so that no value is torn apart."""
    lines, line = [], ""
    for name, value in parameters.items():
        item = f"{name} {plain(value) if isinstance(value, Decimal) else value}"
        if line and LABEL + len(line) + 2 + len(item) > WIDTH:
            lines.append(line + ",")
            line = item
        else:
            line = f"{line}, {item}" if line else item
    lines += [line] if line else []
    return [_labelled("Parameters" if i == 0 else "", text) for i, text in enumerate(lines)]


def _costs(terms: Terms, traded: Sequence[Candles]) -> list[str]:
    """On one line where they fit."""
    real = all(candles.ask is not None for candles in traded)
    spread = "spread from the data" if real else f"spread {_pips(terms.spread_pips)}" if terms.spread_pips else "no spread"
    slippage = f"slippage {_pips(terms.slippage_pips)}" if terms.slippage_pips else "no slippage"
    parts = [f"{spread}, {slippage}", _commission(terms.commission, terms.currency)]
    joined = ", ".join(parts)
    return [joined] if LABEL + len(joined) <= WIDTH else parts


def _commission(commission: Commission, currency: str) -> str:
    charges = [
        f"{plain(commission.per_lot)} {currency} a lot" if commission.per_lot else "",
        f"{plain(commission.percent * 100)} % of notional" if commission.percent else "",
    ]
    charged = " and ".join(filter(None, charges))
    if commission.minimum:
        charged = f"{charged}, at least {plain(commission.minimum)} {currency}".removeprefix(", ")
    return f"commission {charged} per fill" if charged else "no commission"


def _pips(value: Decimal) -> str:
    return f"{plain(value)} {'pip' if value == 1 else 'pips'}"


def outcome(result: "Result") -> list[str]:
    measured, currency = result.metrics, result.request.terms.currency
    net = f"{amount(measured.total_pnl, signed=True)} {currency} ({share(measured.total_return, signed=True)})"
    if not measured.trades.total:
        return [_labelled("Net", f"no trades; the account still holds {amount(measured.end_capital)} {currency}")]
    became = f"{amount(measured.start_capital)} became {amount(measured.end_capital)} {currency}"
    return [_labelled("Net", net + _certainty(result)), _labelled("", became)]


def _certainty(result: "Result") -> str:
    """How far the inside of bars leaves the result open."""
    band, total = result.band, result.metrics.trades.total
    resolved = f"{band.resolved_trades} resolved by finer candles" if band.resolved_trades else ""
    if not band.ambiguous_trades:
        return f"; no trade ambiguous, {resolved}" if resolved else "; no trade ambiguous"
    said = f"{band.ambiguous_trades} of {counted(total, 'trade')} ambiguous" + (f", {resolved}" if resolved else "")
    return f", between {amount(band.low, signed=True)} and {amount(band.high, signed=True)}\n{'':{LABEL}}{said}"


def equity_line(result: "Result") -> list[str]:
    equity = result.outcome.equity
    low, high = (amount(int(units)) for units in (equity.min(), equity.max()))
    return [
        _labelled("Equity", sparkline(equity.tolist(), WIDTH - LABEL)),
        _labelled("", f"lowest {low}, highest {high} {result.request.terms.currency}"),
    ]


def sparkline(values: Sequence[int], width: int) -> str:
    """The last value of each of at most `width` equal spans, from the lowest bar to the highest; a flat line is low."""
    count = min(width, len(values))
    shown = [values[(i + 1) * len(values) // count - 1] for i in range(count)]
    low, span = min(shown), max(shown) - min(shown)
    return "".join(BARS[(value - low) * (len(BARS) - 1) // span if span else 0] for value in shown)


def key_figures(result: "Result") -> list[str]:
    measured = result.metrics
    trades, daily, drawdown, currency = measured.trades, measured.daily, measured.drawdown, result.request.terms.currency
    left = [
        ("Trades", f"{trades.total:,}"),
        ("  long, short", f"{trades.long:,}, {trades.short:,}"),
        ("Won", share(trades.win_rate, places=1)),
        ("Profit factor", figure(trades.profit_factor)),
        ("Average trade", _optional(trades.expectancy, currency)),
        ("Average win", _optional(trades.average_win, currency)),
        ("Average loss", _optional(trades.average_loss, currency)),
        ("Best, worst", f"{_optional(trades.best)}, {_optional(trades.worst, currency)}"),
        ("Average held", duration(trades.average_hours)),
    ]
    right = [
        ("Largest drawdown", share(drawdown.depth)),
        ("Longest under water", duration(drawdown.longest_hours)),
        ("Sharpe (daily)", figure(daily.sharpe)),
        ("Sortino (daily)", figure(daily.sortino)),
        ("Calmar", figure(measured.calmar)),
        ("Growth a year", share(measured.cagr, signed=True)),
        ("In the market", share(measured.exposure, places=1)),
        ("Commission", f"{amount(-trades.commission)} {currency}"),
        ("Financing", f"{amount(trades.financing, signed=True)} {currency}"),
    ]
    half = WIDTH // 2
    return [_pair(*a, half - 2) + "    " + _pair(*b, half - 2) for a, b in zip(left, right, strict=True)]


def _optional(units: int | None, currency: str = "") -> str:
    return "–" if units is None else f"{amount(units, signed=True)} {currency}".rstrip()


def _pair(name: str, text: str, width: int) -> str:
    return f"{name}{text:>{width - len(name)}}"


def _labelled(label: str, text: str) -> str:
    return f"{label:<{LABEL}}{text}"


def _money(value: Decimal) -> str:
    text = plain(value)
    whole, _, places = text.partition(".")
    return f"{whole}.{places.ljust(2, '0')}"
