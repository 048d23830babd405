"""How fast it is, printed beside other programs on the same work: `python -m benchmarks`. Tests assert no times; these are for reading."""
