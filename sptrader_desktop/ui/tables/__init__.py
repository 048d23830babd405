"""Columns of numpy as tables: numbers sort as numbers, and strings exist only for the cells that are seen."""
