"""The Data page: what candles there are, where they come from, and how sound they are."""
