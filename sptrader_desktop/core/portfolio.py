"""The book: opening, closing and valuing positions, exact to 1e-8 of the account currency."""

from sptrader_desktop.core.arithmetic import muldiv, product, total
from sptrader_desktop.core.compiled import compiled, inlined
from sptrader_desktop.core.money import FRACTION_ONE
from sptrader_desktop.core.prices import distance_level, protective_level, slipped
from sptrader_desktop.core.records import CANCELLED, FILLED, LIMIT, LONG, PARTIAL
from sptrader_desktop.core.tables import FAR, INSIDE, INVERSE, Log, Plan, State, Tape


@inlined
def ratio(plan: Plan, state: State, symbol: int, own_price: int) -> tuple[int, int]:
    """Quote to account currency; the symbol's own price is the one given, every other the last known."""
    terms = plan.symbols[symbol]
    numerator, denominator = 1, 1
    for leg in range(2):
        kind = terms.leg1_kind if leg == 0 else terms.leg2_kind
        if kind == 0:
            break
        series = terms.leg1 if leg == 0 else terms.leg2
        scale = terms.leg1_scale if leg == 0 else terms.leg2_scale
        price = own_price if series == symbol else state.series[series].last
        if price <= 0:
            raise LookupError("a conversion rate has no price yet")
        if kind == INVERSE:
            numerator, denominator = numerator * scale, denominator * price
        else:
            numerator, denominator = numerator * price, denominator * scale
    return numerator, denominator


@compiled
def in_account(amount: int, numerator: int, denominator: int) -> int:
    return amount if numerator == denominator else muldiv(amount, numerator, denominator)


@compiled
def quote_value(price: int, quantity: int, unit_value: int) -> int:
    """Notional in 1e-8 of the quote currency."""
    return product(product(price, unit_value), quantity)


@inlined
def commission_of(plan: Plan, symbol: int, quantity: int, notional: int) -> int:
    terms = plan.terms[0]
    commission = 0
    if plan.symbols[symbol].lot_commission > 0:
        commission += muldiv(plan.symbols[symbol].lot_commission, quantity, plan.symbols[symbol].steps_per_lot)
    if terms.percent_commission > 0:
        commission += muldiv(notional, terms.percent_commission, FRACTION_ONE)
    return int(max(commission, terms.least_commission))


@compiled
def write_fill(
    tape: Tape,
    plan: Plan,
    state: State,
    log: Log,
    symbol: int,
    bar: int,
    side: int,
    quantity: int,
    price: int,
    position: int,
    order: int,
    reason: int,
) -> tuple[int, int, int]:
    """Charge the commission of one fill and keep its row. Gives (commission, rate numerator, rate denominator)."""
    account = state.account[0]
    if price <= 0:
        raise ValueError("a fill came to a price of zero or below")
    numerator, denominator = ratio(plan, state, symbol, price)
    notional = in_account(quote_value(price, quantity, plan.symbols[symbol].unit_value), numerator, denominator)
    commission = commission_of(plan, symbol, quantity, notional)
    account.cash = total(account.cash, -commission)
    if len(log.fills) > 0:
        row = log.fills[account.fills]
        row.time = tape.time[tape.start[symbol] + bar]
        row.symbol, row.bar, row.side, row.quantity, row.price = symbol, bar, side, quantity, price
        row.commission, row.rate_num, row.rate_den = commission, numerator, denominator
        row.position, row.order, row.reason = position, order, reason
    account.fills += 1
    return commission, numerator, denominator


@inlined
def open_position(tape: Tape, plan: Plan, state: State, log: Log, index: int, price: int, bar: int, opened: int) -> None:
    """Fill the working entry `index` at `price` (slippage already in it) and take it off the list."""
    account, order = state.account[0], state.pending[index]
    if account.positions >= len(state.positions):
        raise OverflowError("more positions than the strategy allows")
    commission, numerator, denominator = write_fill(
        tape, plan, state, log, order.symbol, bar, order.side, order.quantity, price, account.opened, order.order, -1
    )
    exits, position = plan.exits[order.symbol], state.positions[account.positions]
    position.number, position.symbol, position.side, position.rule = account.opened, order.symbol, order.side, order.rule
    position.quantity, position.entry_price, position.entry_bar = order.quantity, price, bar
    position.entry_time, position.opened = tape.time[tape.start[order.symbol] + bar], opened
    position.touch, position.touch_kind = order.level, order.kind
    position.stop = protective_level(-order.side, price, exits.stop_kind, exits.stop_value, order.stop_distance)
    position.target = protective_level(order.side, price, exits.target_kind, exits.target_value, order.target_distance)
    position.peak, position.trail = price, -order.side * FAR
    position.commission, position.financing = commission, 0
    position.closing, position.closing_reason, position.closing_now, position.closes, position.cut_bar = 0, -1, 0, 0, -1
    position.ambiguous, position.resolved, position.open_profit = 0, 0, 0
    position.rate_num, position.rate_den = numerator, denominator
    account.positions += 1
    account.opened += 1
    settle_order(state, log, index, FILLED, bar)


@inlined
def settle_order(state: State, log: Log, index: int, outcome: int, bar: int) -> None:
    account = state.account[0]
    row = log.orders[state.pending[index].order]
    row.state, row.settled_bar = outcome, bar
    account.pending -= 1
    for i in range(index, account.pending):
        state.pending[i] = state.pending[i + 1]


@compiled
def cancel_pending(state: State, log: Log, symbol: int, side: int) -> None:
    """Cancel working entries of a symbol and side; −1 and 0 mean any."""
    i = 0
    while i < state.account[0].pending:
        order = state.pending[i]
        if (symbol == -1 or order.symbol == symbol) and (side == 0 or order.side == side):
            settle_order(state, log, i, CANCELLED, state.series[order.symbol].next - 1)
        else:
            i += 1


@compiled
def share(rest: int, part: int, whole: int) -> int:
    """The last part takes what is left, so the parts add up."""
    return rest if part == whole else muldiv(rest, part, whole)


@compiled
def close_part(tape: Tape, plan: Plan, state: State, log: Log, index: int, quantity: int, price: int, reason: int, bar: int) -> None:
    """Close `quantity` steps of position `index` at `price` (slippage already in it): one trade row."""
    account, position = state.account[0], state.positions[index]
    exit_commission, numerator, denominator = write_fill(
        tape, plan, state, log, position.symbol, bar, -position.side, quantity, price, position.number, -1, reason
    )
    unit_value = plan.symbols[position.symbol].unit_value
    move = position.side * (price - position.entry_price)
    gross = in_account(product(product(move, unit_value), quantity), numerator, denominator)
    commission = share(position.commission, quantity, position.quantity)
    financing = share(position.financing, quantity, position.quantity)
    account.cash = total(account.cash, gross)
    if len(log.trades) > 0:
        row = log.trades[account.trades]
        row.position, row.symbol, row.side, row.rule = position.number, position.symbol, position.side, position.rule
        row.entry_bar, row.exit_bar, row.entry_time = position.entry_bar, bar, position.entry_time
        row.exit_time = tape.time[tape.start[position.symbol] + bar]
        row.entry_price, row.exit_price, row.quantity = position.entry_price, price, quantity
        row.gross, row.commission, row.financing = gross, commission + exit_commission, financing
        row.entry_notional = in_account(quote_value(position.entry_price, quantity, unit_value), position.rate_num, position.rate_den)
        row.reason, row.ambiguous, row.resolved = reason, position.ambiguous, position.resolved
        row.rate_num, row.rate_den = numerator, denominator
    account.trades += 1
    position.commission -= commission
    position.financing -= financing
    position.quantity -= quantity
    position.closing = max(position.closing - quantity, 0)
    if position.quantity == 0:
        remove_position(state, index)


@inlined
def remove_position(state: State, index: int) -> None:
    account = state.account[0]
    account.positions -= 1
    for i in range(index, account.positions):
        state.positions[i] = state.positions[i + 1]


@inlined
def close_oldest(tape: Tape, plan: Plan, state: State, log: Log, symbol: int, quantity: int, price: int, bar: int) -> None:
    """A partial target: `quantity` steps of the symbol, oldest position first, at one price."""
    i = 0
    while quantity > 0 and i < state.account[0].positions:
        position = state.positions[i]
        if position.symbol != symbol:
            i += 1
            continue
        part = min(quantity, position.quantity)
        whole = part == position.quantity
        position.cut_bar = bar
        close_part(tape, plan, state, log, i, part, price, PARTIAL, bar)
        quantity -= part
        i += 0 if whole else 1


@inlined
def exit_side_price(state: State, symbol: int, side: int) -> int:
    return int(state.series[symbol].bid if side == LONG else state.series[symbol].ask)


@inlined
def unrealised(plan: Plan, state: State) -> int:
    """Σ open profit at the exit side's last price; each position keeps its own figure for the stop-out."""
    profit = 0
    for i in range(state.account[0].positions):
        position = state.positions[i]
        numerator, denominator = ratio(plan, state, position.symbol, state.series[position.symbol].last)
        move = position.side * (exit_side_price(state, position.symbol, position.side) - position.entry_price)
        value = product(product(move, plan.symbols[position.symbol].unit_value), position.quantity)
        position.open_profit = in_account(value, numerator, denominator)
        profit = total(profit, position.open_profit)
    return profit


@inlined
def notional_now(plan: Plan, state: State, symbol: int, quantity: int) -> int:
    """Account-currency worth of a quantity at the last raw price."""
    last = state.series[symbol].last
    numerator, denominator = ratio(plan, state, symbol, last)
    return in_account(quote_value(last, quantity, plan.symbols[symbol].unit_value), numerator, denominator)


@inlined
def move_trailing(plan: Plan, state: State, index: int) -> None:
    """The peak is the best exit-side close; once far enough from the entry the level follows it and acts from the next bar."""
    position = state.positions[index]
    exits, side = plan.exits[position.symbol], position.side
    close = exit_side_price(state, position.symbol, side)
    if side * (close - position.peak) > 0:
        position.peak = close
    gain = side * (position.peak - position.entry_price)
    if product(gain, FRACTION_ONE) >= product(exits.activation, position.entry_price):
        position.trail = distance_level(-side, position.peak, 1, exits.trail, 0)


@inlined
def entry_price_of(plan: Plan, kind: int, symbol: int, side: int, price: int) -> int:
    return price if kind == LIMIT else slipped(side, price, plan.symbols[symbol].slippage)


@inlined
def opened_inside(state: State, index: int, bar: int) -> bool:
    return bool(state.positions[index].opened == INSIDE and state.positions[index].entry_bar == bar)


@inlined
def settle_peak(state: State) -> None:
    """The last recorded equity joins the history: the peak, the trough since it, and the worst drawdown."""
    account = state.account[0]
    if account.equity > account.peak:
        account.peak, account.trough = account.equity, account.equity
    elif account.equity < account.trough:
        account.trough = account.equity
        account.worst = max(account.worst, float(account.peak - account.trough) / float(account.peak))


@inlined
def set_prices(plan: Plan, state: State, symbol: int, raw: int, ask: int) -> None:
    series = state.series[symbol]
    series.last = raw
    series.bid, series.ask = raw + plan.symbols[symbol].bid_shift, ask + plan.symbols[symbol].ask_shift
