"""Benchmarks: every figure is taken beside its reference in the same run, so that what is printed are ratios."""
