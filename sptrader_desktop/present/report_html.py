"""The report of a run as one HTML page: nothing is loaded from anywhere, it reads in light and dark, on paper and without a script.

Made from the JSON result, so a kept run is told as it was kept. Every text goes through `_escaped`.
"""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from html import escape
from typing import Any

import numpy as np

from sptrader_desktop.core.money import fixed
from sptrader_desktop.present.clocks import MONTHS
from sptrader_desktop.present.manifest_words import inputs_of
from sptrader_desktop.present.metric_words import MAIN, METRICS, kept_figure
from sptrader_desktop.present.numbers import NONE, amount, counted, grouped, share
from sptrader_desktop.present.report_pictures import Svg, drawdown_picture, equity_picture
from sptrader_desktop.present.report_style import STYLE
from sptrader_desktop.present.result_words import certainty

Document = Mapping[str, Any]
MOST_TRADES = 5_000
SHADES = 5
POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"


def html_report(document: Document, curve: Mapping[str, Sequence[int]], strategy_text: str) -> str:
    """`curve` is the table of equity: `equity` in 1e-8 of the account currency at each `instant`, microseconds UTC."""
    instants, equity = (np.array(curve[name], np.int64) for name in ("instant", "equity"))
    manifest = document["manifest"]
    title = f"{manifest['strategy']['name']} {manifest['strategy']['version']}"
    capital = fixed(Decimal(document["start_capital"]))
    parts = [
        _head(document, title),
        _tiles(document, range(MAIN)),
        _picture("Equity", equity_picture(instants, equity, capital, _currency(document))),
        _picture("Drawdown", drawdown_picture(instants, equity, capital)),
        _months(document["metrics"]),
        _section("Figures", _tiles(document, range(MAIN, len(METRICS)))),
        _section("By session of entry", _sessions(document)),
        _section("Trades", _trades(document)),
        _section("Why not more", _refusals(document)),
        _section("What was assumed", _assumed(document)),
        _section("The strategy", f"<pre>{_escaped(strategy_text)}</pre>"),
        _section("What the figures mean", _definitions()),
    ]
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light dark">'
        f"<title>{_escaped(title)}</title><style>{STYLE}</style></head>\n<body><main>\n" + "\n".join(parts) + "\n</main></body></html>\n"
    )


def _escaped(value: object) -> str:
    return escape(str(value), quote=True)


def _currency(document: Document) -> str:
    return str(document["manifest"]["terms"]["currency"])


def _money(text: str, *, signed: bool = True) -> str:
    return amount(fixed(Decimal(text)), signed=signed)


def _section(title: str, inner: str) -> str:
    return f"<section><h2>{_escaped(title)}</h2>{inner}</section>"


def _table(head: Iterable[str], rows: Iterable[Sequence[str]], left: int = 1, name: str = "") -> str:
    """Cells are escaped here; the first `left` of a row stand to the left."""

    def cell(tag: str, place: int, text: str) -> str:
        return f"<{tag}>{_escaped(text)}</{tag}>" if place < left else f'<{tag} class="n {_sign(text)}">{_escaped(text)}</{tag}>'

    titles = "".join(cell("th", place, text) for place, text in enumerate(head))
    body = "".join("<tr>" + "".join(cell("td", place, text) for place, text in enumerate(row)) + "</tr>\n" for row in rows)
    return f'<div class="wide"><table class="{name}"><thead><tr>{titles}</tr></thead><tbody>{body}</tbody></table></div>'


def _sign(text: str) -> str:
    """The sign is written too: the colour only repeats it."""
    return "up" if text.startswith("+") else "down" if text.startswith("-") else ""


# Parts


def _head(document: Document, title: str) -> str:
    metrics, currency = document["metrics"], _currency(document)
    net = f"{_money(document['total_pnl'])} {currency} ({share(metrics['total_return'], signed=True)})"
    lines = [_candles(item, quality) for item, quality in zip(document["manifest"]["data"], document["data_quality"], strict=True)]
    said = "".join(f"<p>{_escaped(line)}</p>" for line in (_certainty(document), *lines))
    return f'<header><h1>{_escaped(title)}</h1><p class="net {_sign(net)}">Net {_escaped(net)}</p>{said}</header>'


def _certainty(document: Document) -> str:
    band = document["equity_band"]
    low, high = (fixed(Decimal(band[name])) for name in ("low", "high"))
    line = certainty(low, high, band["ambiguous_trades"], band["resolved_trades"], document["total_trades"], _currency(document))
    return f"{line[:1].upper()}{line[1:]}."


def _candles(item: Document, quality: Document) -> str:
    span = f", {_minute(item['first'])} to {_minute(item['last'])} UTC" if item["first"] else ""
    doubtful = counted(quality["suspicious_bars"], "suspicious bar") if quality["suspicious_bars"] else "no suspicious bar"
    coverage = f"coverage {share(quality['coverage'])}, {doubtful}"
    return f"{item['symbol']} {item['timeframe']} {item['side']}{span}, {counted(item['rows'], 'bar')}; {coverage}."


def _minute(time: str) -> str:
    return time.removesuffix("Z").removesuffix(":00").replace("T", " ")


def _tiles(document: Document, which: range) -> str:
    currency, tiles = _currency(document), []
    for word in METRICS[which.start : which.stop]:
        value = kept_figure(document["metrics"], word.path)
        sign = {1: "up", -1: "down", 0: ""}[word.tone(value)]
        text, meaning = _escaped(word.text(value, currency)), _escaped(word.meaning)
        tiles.append(f'<div class="tile" title="{meaning}"><span>{_escaped(word.title)}</span><b class="{sign}">{text}</b></div>')
    return f'<div class="tiles">{"".join(tiles)}</div>'


def _picture(title: str, picture: Svg | None) -> str:
    if picture is None:
        return ""
    words = _escaped(picture.words)
    drawing = f'<svg viewBox="{picture.box}" role="img" aria-label="{words}">{picture.body}</svg>'
    return _section(title, f"<figure>{drawing}<figcaption>{words}</figcaption></figure>")


def _months(metrics: Document) -> str:
    months = {month["name"]: month for month in metrics["by_month"]}
    strongest = max((abs(month["growth"] or 0) for month in months.values()), default=0) or 1
    head = "".join(f"<th>{name}</th>" for name in ("", *MONTHS, "Year"))
    rows = []
    for year in metrics["by_year"]:
        cells = [_month(months.get(f"{year['name']}-{number:02d}"), strongest) for number in range(1, 13)]
        total = share(year["growth"], signed=True, places=1)
        rows.append(f"<tr><th>{_escaped(year['name'])}</th>{''.join(cells)}<td><b>{total}</b></td></tr>")
    body = f'<div class="wide"><table class="months"><thead><tr>{head}</tr></thead><tbody>{"".join(rows)}</tbody></table></div>'
    return _section("Growth by month", body) if rows else ""


def _month(month: Document | None, strongest: float) -> str:
    if month is None:
        return "<td></td>"
    growth = month["growth"]
    shade = -(-abs(growth or 0) * SHADES // strongest)
    side = f"{'up' if growth > 0 else 'down'}{int(shade)}" if growth else ""
    tip = f"{_money(month['pnl'])}, {counted(month['trades'], 'trade')}"
    return f'<td class="{side}" title="{_escaped(tip)}">{NONE if growth is None else share(growth, signed=True, places=1)}</td>'


def _sessions(document: Document) -> str:
    rows = [
        (item["session"], _money(item["pnl"]), f"{item['trades']:,}", share(item["win_rate"], places=1))
        for item in document["metrics"]["by_session"]
    ]
    return _table(("Session", f"Net {_currency(document)}", "Trades", "Won"), rows)


def _trades(document: Document) -> str:
    trades, currency = document["completed_trades"], _currency(document)
    if not trades:
        return "<p>There are none.</p>"
    head = ("Symbol", "Side", "Entered UTC", "Exited UTC", "Reason", "Trade", "Quantity", "Entry", "Exit", f"Net {currency}", "Net %")
    rows = [
        (
            row["symbol"],
            row["side"],
            _minute(row["entry_time"]),
            _minute(row["exit_time"]),
            row["exit_reason"].replace("_", " "),
            f"{row['id']}{'?' if row['ambiguous'] else ''}",
            grouped(row["quantity"]),
            row["entry_price"],
            row["exit_price"],
            _money(row["pnl"]),
            f"{row['pnl_percent']:+.2f}",
        )
        for row in trades[:MOST_TRADES]
    ]
    notes = [f"The first {MOST_TRADES:,} of {len(trades):,}."] if len(trades) > MOST_TRADES else []
    if any(row["ambiguous"] for row in trades):
        notes.append("? ambiguous: stop and target lay in one bar, or the entry's own bar touched one.")
    return _table(head, rows, left=5, name="trades") + "".join(f"<p>{_escaped(note)}</p>" for note in notes)


def _refusals(document: Document) -> str:
    counts: dict[str, int] = {}
    for row in document["order_decisions"]:
        if row["action"] in ("buy", "sell"):
            counts[row["reason"]] = counts.get(row["reason"], 0) + 1
    if not counts:
        return "<p>The conditions of no entry rule ever held.</p>"
    rows = [(name.replace("_", " "), f"{count:,}") for name, count in sorted(counts.items(), key=lambda item: -item[1])]
    return _table(("What became of entries whose conditions held", "Times"), rows)


def _assumed(document: Document) -> str:
    return _table(("What", "Value"), inputs_of(document["manifest"]), left=2, name="assumed")


def _definitions() -> str:
    return "<dl>" + "".join(f"<dt>{_escaped(word.title)}</dt><dd>{_escaped(word.meaning)}</dd>" for word in METRICS) + "</dl>"
