"""Benchmarks: the rate of every endpoint as a ratio to a bare Tornado handler and to a naive handler, in one run."""
