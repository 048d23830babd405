"""A filter: the day of the trading week, which begins on Sunday at 17:00 in New York with what is called Monday."""

from collections.abc import Mapping

import pandas as pd

from sptrader_desktop.sdk import at_close, events_where, main, trading_day

__metadata_version__ = 2
__metadata__ = {
    "name": "weekday_filter",
    "description": "Holds on every bar: the weekday of the trading day into which an order at its close falls.",
    "parameters": {},
    "event_types": ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"],
    "outputs": ["day_of_month"],
    "warm_up": "1",
}


class WeekdayFilter:
    def evaluate(self, data: pd.DataFrame, indicators: Mapping[str, pd.Series]) -> pd.DataFrame:
        days = trading_day(at_close(data)).dt
        weekdays = {name: days.day_of_week == number for number, name in enumerate(__metadata__["event_types"])}
        return events_where(data, weekdays, 1.0, day_of_month=days.day)


if __name__ == "__main__":
    main(WeekdayFilter, __metadata__)
