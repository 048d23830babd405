"""Joins `compose` and `ui`: opens the window over the adapters of the day, and ends both."""
