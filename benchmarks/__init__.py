"""Figures as ratios: every endpoint against a bare Tornado handler and the obvious handler, in one run."""
