"""Arithmetic of measurements: medians of pairwise ratios with their spread, percentiles."""

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Ratio:
    """The median of the ratios of pairs, and the smallest and the largest of them."""

    median: float
    low: float
    high: float


def pairwise(values: Sequence[float], bases: Sequence[float]) -> Ratio:
    """Compare each value with the base that was measured just before it, so that what slows both cancels out.

    Raises `ValueError` if they are not pairs.
    """
    ratios = [value / base for value, base in zip(values, bases, strict=True)]
    if not ratios:
        raise ValueError("there are no pairs")
    return Ratio(statistics.median(ratios), min(ratios), max(ratios))


def percentile(values: Sequence[float], share: float) -> float:
    """Return the smallest value that at least this share of the values does not exceed (nearest rank)."""
    if not values:
        raise ValueError("there are no values")
    return sorted(values)[max(math.ceil(share * len(values)) - 1, 0)]


def evenness(shares: Sequence[float]) -> float:
    """Return the smallest share as a part of an even one: 1 if all are equal, 0 if one has nothing."""
    return min(shares) * len(shares) / sum(shares) if sum(shares) else 0.0
