"""Drives the core: backtests, stored runs, explanations. Formats and technologies belong to adapters."""
