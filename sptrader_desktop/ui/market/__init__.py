"""Looking at markets without a strategy: charts of any candles, the watchlist, live prices and alerts."""
