"""An inspection as a terminal shows it and as JSON says it. The verdict comes last: it is what stays on the screen."""

import json
from collections.abc import Iterator, Sequence
from textwrap import wrap
from typing import Any

from sptrader_desktop.core.calendar import DAY_US, HOUR_US
from sptrader_desktop.present.data_findings import KINDS, Finding, Inspection, ShownRow, Span
from sptrader_desktop.present.market_hours import MINUTE_US
from sptrader_desktop.present.numbers import clock, counted, iso_time, share

WIDTH = 96
LABEL = 11
SPANS_SHOWN = 5
SHORT = {"open": "O", "high": "H", "low": "L", "close": "C", "volume": "V"}
SHORT |= {f"ask_{name}": f"ask {letter}" for name, letter in SHORT.items()}
UNIT_OF_BAR = ((7 * DAY_US, "w"), (DAY_US, "d"), (HOUR_US, "h"), (MINUTE_US, "m"), (1_000_000, "s"))


def inspection_text(found: Inspection) -> str:
    blocks = [list(_head(found))]
    blocks += [list(_finding(finding)) for finding in found.findings]
    blocks += [[f"Verdict    {verdict(found)}"]]
    return "\n\n".join("\n".join(block) for block in blocks) + "\n"


def _head(found: Inspection) -> Iterator[str]:
    sides = "bid and ask" if found.has_ask else "one side"
    stated = f"stated {found.timeframe}" if found.timeframe else "no timeframe stated"
    yield found.source
    yield f"{'Candles':<{LABEL}}{found.symbol} {sides}, {stated}, seen {timeframe_text(found.bar_us)}, {counted(found.rows, 'row')}"
    if found.first is None or found.last is None:
        return
    yield f"{'Range':<{LABEL}}{clock(found.first)} to {clock(found.last)} UTC"
    coverage = found.coverage
    could = f"{counted(coverage.expected, 'bar')} the market could have made"
    yield f"{'Coverage':<{LABEL}}{share(coverage.share)}: {coverage.present:,} of {could}"
    spans = coverage.missing
    if spans:
        yield f"{'Missing':<{LABEL}}{counted(len(spans), 'span')}, longest first"
    for span in spans[:SPANS_SHOWN]:
        yield f"{'':<{LABEL}}{clock(span.start)} to {clock(span.end)}  {counted(span.bars, 'bar')}"
    if len(spans) > SPANS_SHOWN:
        yield f"{'':<{LABEL}}and {len(spans) - SPANS_SHOWN:,} more, all in --json"
    yield f"{'Unmoved':<{LABEL}}{counted(found.zero_ranges, 'bar')} with high and low the same"


def _finding(finding: Finding) -> Iterator[str]:
    kind = KINDS[finding.kind]
    yield f"{finding.severity:<{LABEL}}{finding.kind}: {finding.count:,} × {kind.what}"
    if finding.severity == "note":
        yield from _wrapped(finding.rule)
        return
    yield from _wrapped(f"rule: {finding.rule}")
    for row in finding.first:
        yield from _wrapped(_row(row))
    yield from _wrapped(f"to do: {kind.advice}")


def _wrapped(text: str) -> list[str]:
    return wrap(text, WIDTH, initial_indent=" " * LABEL, subsequent_indent=" " * (LABEL + 2), break_long_words=False)


def _row(row: ShownRow) -> str:
    at = "no time" if row.at is None else f"{clock(row.at)}"
    return f"row {row.row:,}  {at}  " + " ".join(f"{SHORT[name]} {value:.12g}" for name, value in row.values)


def verdict(found: Inspection) -> str:
    kinds = {severity: [item.kind for item in found.findings if item.severity == severity] for severity in ("refused", "doubtful")}
    if not found.rows:
        return "refused: it holds no rows"
    if kinds["refused"]:
        doubts = f"; doubtful besides: {', '.join(kinds['doubtful'])}" if kinds["doubtful"] else ""
        return f"refused: no backtest takes it before this is settled: {', '.join(kinds['refused'])}{doubts}"
    if kinds["doubtful"]:
        return f"doubtful: a backtest would run on it and could be wrong: {', '.join(kinds['doubtful'])}"
    return "sound: nothing found that would make a backtest wrong"


def timeframe_text(bar_us: int) -> str:
    size, unit = next(((size, unit) for size, unit in UNIT_OF_BAR if bar_us % size == 0), (1, " µs"))
    return f"{bar_us // size}{unit}"


def inspections_json(found: Sequence[Inspection]) -> str:
    return json.dumps([inspection_document(item) for item in found], ensure_ascii=False, allow_nan=False, sort_keys=True, indent=1)


def inspection_document(found: Inspection) -> dict[str, Any]:
    coverage = found.coverage
    return {
        "source": found.source,
        "symbol": found.symbol,
        "timeframe": {"stated": found.timeframe or None, "seen": timeframe_text(found.bar_us)},
        "rows": found.rows,
        "first": None if found.first is None else iso_time(found.first),
        "last": None if found.last is None else iso_time(found.last),
        "has_ask": found.has_ask,
        "zero_ranges": found.zero_ranges,
        "coverage": {
            "expected": coverage.expected,
            "present": coverage.present,
            "share": coverage.share,
            "missing": [_span(span) for span in coverage.missing],
        },
        "findings": [_finding_document(finding) for finding in found.findings],
        "verdict": verdict(found),
        "is_sound": found.is_sound,
    }


def _span(span: Span) -> dict[str, Any]:
    return {"from": iso_time(span.start), "to": iso_time(span.end), "bars": span.bars}


def _finding_document(finding: Finding) -> dict[str, Any]:
    return {
        "kind": finding.kind,
        "severity": finding.severity,
        "count": finding.count,
        "rule": finding.rule,
        "advice": KINDS[finding.kind].advice,
        "first": [
            {"row": row.row, "timestamp": None if row.at is None else iso_time(row.at), "values": _numbers(row)} for row in finding.first
        ],
    }


def _numbers(row: ShownRow) -> dict[str, float | str]:
    """JSON has no words for what is no number; a bad row is full of it."""
    return {name: value if abs(value) < float("inf") else str(value) for name, value in row.values}
