"""SPtrader Desktop: the strategy you test is the strategy you trade."""

__version__ = "0.1.0"
