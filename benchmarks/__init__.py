"""Benchmarks: the cost of every endpoint beside a bare Tornado handler, in interleaved rounds of one run."""
