"""Next week's demand from that of the weeks before. Pure arithmetic: no database, no clock.

Each method forecasts every one of the last weeks from those before it alone; the one that was wrong by the least makes the
forecast. Wrong by is the root mean square: it favors the mean, of which stock is made, where the mean of absolute errors
would favor nothing for goods that are wanted once in a while.
"""

from collections.abc import Mapping, Sequence
from itertools import accumulate
from math import dist, sqrt
from operator import sub
from typing import NamedTuple

WINDOW = 8  # weeks of the moving average
ALPHAS = (0.1, 0.2, 0.4)  # of the exponential smoothing; the best one counts
CROSTON_ALPHA = 0.1
UNBIASED = 1 - CROSTON_ALPHA / 2
MEASURED = 13  # weeks whose forecasts are compared with what came, at most
LEARNED = 4  # weeks before the first that is compared
ONE_IN_TEN = 1.2816  # standard deviations from the mean

AVERAGE, SMOOTHING, CROSTON = "average", "smoothing", "croston"

type Forecasts = list[float]  # of each week, made from those before it; the last one is of the week to come


class Forecast(NamedTuple):
    """Of a week. `error` is None where the history is too short to measure it."""

    method: str
    quantity: float
    error: float | None
    errors: Mapping[str, float]

    @property
    def low(self) -> float:
        return max(self.quantity - ONE_IN_TEN * (self.error or 0), 0)

    @property
    def high(self) -> float:
        return self.quantity + ONE_IN_TEN * (self.error or 0)


def forecast(demand: Sequence[float]) -> Forecast:
    """`demand` of each week since the first in which there was any, the last one last; it is not empty."""
    first = max(LEARNED, len(demand) - MEASURED)
    if first >= len(demand):
        return Forecast(AVERAGE, averaged(demand)[-1], None, {})
    runs = [(AVERAGE, averaged(demand)), *((SMOOTHING, smoothed(demand, alpha)) for alpha in ALPHAS), (CROSTON, croston(demand))]
    best: dict[str, tuple[float, float]] = {}
    for method, run in runs:
        error = _error(demand, run, first)
        if method not in best or error < best[method][0]:
            best[method] = error, run[-1]
    method = min(best, key=lambda name: best[name][0])
    error, quantity = best[method]
    return Forecast(method, quantity, error, {name: found for name, (found, _) in best.items()})


def _error(demand: Sequence[float], run: Forecasts, first: int) -> float:
    return dist(run[first:-1], demand[first:]) / sqrt(len(demand) - first)


def averaged(demand: Sequence[float]) -> Forecasts:
    """The mean of the last weeks; of all while there are fewer."""
    sums = [0.0, *accumulate(demand)]
    begun = [sums[weeks] / weeks for weeks in range(1, min(WINDOW, len(demand)) + 1)]
    return [demand[0], *begun, *[gained / WINDOW for gained in map(sub, sums[WINDOW + 1 :], sums[1:])]]


def smoothed(demand: Sequence[float], alpha: float) -> Forecasts:
    level = demand[0]
    return [level, *[level := level + alpha * (quantity - level) for quantity in demand]]


def croston(demand: Sequence[float]) -> Forecasts:
    """How much is wanted when anything is, and how long that takes, each smoothed; less the bias (Syntetos and Boylan).

    The second time it is wanted says first how long that takes; until then it is once in all weeks.
    """
    size, interval, last, rate, found = demand[0], 0.0, 0, 0.0, [demand[0]]
    for week, quantity in enumerate(demand):
        if quantity > 0 and week:
            size += CROSTON_ALPHA * (quantity - size)
            interval = interval + CROSTON_ALPHA * (week - last - interval) if interval else float(week)
            last, rate = week, UNBIASED * size / interval
        found.append(rate if interval else size / (week + 1))
    return found
