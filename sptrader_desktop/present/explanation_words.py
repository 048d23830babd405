"""Numbers and conditions of an explanation in words: prices, amounts, times, comparisons, each with its unit."""

from decimal import Decimal

from sptrader_desktop.core.explained import Unit
from sptrader_desktop.core.instruments import Instrument
from sptrader_desktop.core.strategy import Comparison, OutputTest, Scalar
from sptrader_desktop.present.numbers import amount, plain, price_unit, share


def price_text(instrument: Instrument, ticks: int) -> str:
    return price_unit(instrument).text(ticks)


def amount_text(instrument: Instrument, steps: int) -> str:
    return f"{plain(steps * instrument.step)} {instrument.base}"


def money_text(units: int, currency: str, *, signed: bool = False) -> str:
    return f"{amount(units, signed=signed)} {currency}"


def percent_text(fraction: int) -> str:
    """Every digit: a limit may be missed by the last one."""
    return f"{plain(Decimal(fraction).scaleb(-6))} %"


def round_percent(fraction: int) -> str:
    return share(fraction / 10**8)


def quantity_text(number: int, unit: Unit, instrument: Instrument, currency: str) -> str:
    if unit == "fraction":
        return percent_text(number)
    if unit == "money":
        return money_text(number, currency)
    if unit == "steps":
        return amount_text(instrument, number)
    return plain(Decimal(number) / 100) if unit == "hundredths" else str(number)


def value_text(value: object) -> str:
    if value is None:
        return "no such output"
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"{value:.10g}" if isinstance(value, float) else str(value)


def condition_text(test: OutputTest) -> str:
    return f"{test.output} {comparison_text(test.comparison)}"


def comparison_text(comparison: Comparison) -> str:
    operands = [_operand_text(operand) for operand in comparison.operands]
    if comparison.operator == "range":
        return f"in {operands[0]}..{operands[1]}"
    if comparison.operator == "in":
        return f"in [{', '.join(operands)}]"
    return f"{comparison.operator} {operands[0]}"


def _operand_text(operand: Scalar) -> str:
    return plain(operand) if isinstance(operand, Decimal) else value_text(operand)
