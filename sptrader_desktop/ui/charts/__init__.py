"""Candles, lines and marks, drawn as fast as they are panned."""
