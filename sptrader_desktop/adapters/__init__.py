"""One file per technology: foreign errors, floats, zones and names become ours here and nowhere else."""
