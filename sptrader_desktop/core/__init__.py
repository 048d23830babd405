"""The rules of trading: pure, without clock, I/O, window or randomness."""
