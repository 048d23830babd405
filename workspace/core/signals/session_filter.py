"""A filter: which of the great sessions are open when the bar has closed, each by the clocks and the summer time of its own city."""

from collections.abc import Mapping

import pandas as pd

from sptrader_desktop.sdk import at_close, events_where, main, session_clocks

__metadata_version__ = 2
__metadata__ = {
    "name": "session_filter",
    "description": "Holds on every bar, for each session open at its close: tokyo 9 to 18, london 8 to 17, new_york 8 to 17, all local;"
    " london_new_york while these two overlap, all_shut while none is. The outputs are hours since each last opened.",
    "parameters": {},
    "event_types": ["tokyo", "london", "new_york", "london_new_york", "all_shut"],
    "outputs": ["tokyo_hours", "london_hours", "new_york_hours"],
    "warm_up": "1",
}


class SessionFilter:
    def evaluate(self, data: pd.DataFrame, indicators: Mapping[str, pd.Series]) -> pd.DataFrame:
        clocks = session_clocks(at_close(data))
        is_open = {city: clock.is_open for city, clock in clocks.items()}
        return events_where(
            data,
            {
                **is_open,
                "london_new_york": is_open["london"] & is_open["new_york"],
                "all_shut": ~(is_open["tokyo"] | is_open["london"] | is_open["new_york"]),
            },
            1.0,
            **{f"{city}_hours": clock.hours for city, clock in clocks.items()},
        )


if __name__ == "__main__":
    main(SessionFilter, __metadata__)
