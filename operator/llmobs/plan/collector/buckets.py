"""The buckets of a client's histogram as a few observations: of each bucket one value that lies in it, so that all add up to the sum."""

from __future__ import annotations

from collections.abc import Iterator

from llmobs.plan.collector.ottl import assign, at, literal

MOST = 20
"""Buckets that are read; OpenTelemetry's own bounds make 16, those of its conventions for models 15."""

_COUNTS, _BOUNDS, _LAST = "datapoint.bucket_counts", "datapoint.explicit_bounds", f"Len({at('datapoint.cache', 'bounds')})"

_LEAST = 0.000001
"""Share of a bucket's width that a value stands above its lower bound at least: the bound itself belongs to the bucket below."""


def count(index: int) -> str:
    """The attribute with the observations in a bucket."""
    return at("datapoint.attributes", f"llmobs.n{index}")


def value(index: int) -> str:
    """The attribute with the value that stands for them."""
    return at("datapoint.attributes", f"llmobs.v{index}")


def observations(largest: str, *conditions: str) -> Iterator[str]:
    """Write :func:`count` and :func:`value` of each bucket that holds any, where ``conditions`` hold.

    Nothing is written where the buckets are too many or do not add up to the count. ``largest``: an expression; no value above it is told.
    """
    yield assign(_cache("bounds"), _BOUNDS, *conditions)
    # the counts are of a type that takes no index
    yield assign(_cache("counts"), f'Split(Substring({_text()}, 1, Len({_text()}) - 2), " ")', f"{_cache('bounds')} != nil")
    known = f"{_cache('counts')} != nil and Len({_cache('counts')}) == {_LAST} + 1 and {_LAST} > 0 and {_LAST} < {MOST}"
    yield assign(_cache("ok"), "true", known)
    yield from _edges()
    yield assign(_cache("ok"), "false", f"({_sum('n')}) != Double(datapoint.count)")
    yield from _share()
    yield from _told(largest)


def _cache(key: str) -> str:
    return at("datapoint.cache", key)


def _text() -> str:
    return f'Format("%v", [{_COUNTS}])'


def _edges() -> Iterator[str]:
    """Of each bucket: ``n`` observations between ``l`` and ``u``; of the last one, which has no end, ``u`` is nothing."""
    ok = f"{_cache('ok')} == true"
    for index in range(MOST):
        n, lower, upper = (_cache(f"{letter}{index}") for letter in "nlu")
        before = _cache(f"u{index - 1}") if index else "0.0"
        yield assign(n, "0.0", ok)
        yield assign(lower, "0.0", ok)
        yield assign(upper, "0.0", ok)
        here = f"Len({_cache('counts')}) > {index}"
        yield assign(n, f"Double({_cache('counts')}[{index}])", ok, here)
        yield assign(lower, before, ok, here)
        yield assign(upper, f"Double({_cache('bounds')}[{index}])", ok, f"{_LAST} > {index}")
        yield assign(upper, "0.0", ok, f"{upper} < 0.0")


def _sum(letter: str) -> str:
    return " + ".join(_cache(f"{letter}{index}") for index in range(MOST))


def _share() -> Iterator[str]:
    """How far above its lower bound a value stands, the same in all buckets with an end.

    By the sum, and at most half where a bucket without an end takes the rest of it.
    """
    ok = f"{_cache('ok')} == true"
    low = " + ".join(f"{_cache(f'n{index}')} * {_cache(f'l{index}')}" for index in range(MOST))
    high = " + ".join(f"{_cache(f'n{index}')} * {_cache(f'u{index}')}" for index in range(MOST))
    yield assign(_cache("low"), low, ok)
    yield assign(_cache("high"), high, ok)
    yield assign(_cache("over"), f"Double({_cache('counts')}[{_LAST}])", ok)
    yield assign(_cache("share"), "0.5", ok)
    yield assign(_cache("last"), f"Double({_cache('bounds')}[{_LAST} - 1])", ok)
    width = f"({_cache('high')} - {_cache('low')} + {_cache('over')} * {_cache('last')})"
    yield assign(_cache("share"), f"(datapoint.sum - {_cache('low')}) / {width}", ok, f"{width} > 0.0")
    yield assign(_cache("share"), "0.5", ok, f"{_cache('over')} > 0.0", f"{_cache('share')} > 0.5")
    yield assign(_cache("share"), literal(_LEAST), ok, f"{_cache('share')} < {literal(_LEAST)}")
    yield assign(_cache("share"), "1.0", ok, f"{_cache('share')} > 1.0")
    for index in range(MOST):
        upper, lower = _cache(f"u{index}"), _cache(f"l{index}")
        yield assign(_cache(f"v{index}"), f"{lower} + {_cache('share')} * ({upper} - {lower})", ok, f"{_LAST} > {index}")
    yield from _open(ok)


def _open(ok: str) -> Iterator[str]:
    """The value of the bucket without an end: what the others leave of the sum, and no less than where it begins."""
    rest, over = _cache("rest"), f"{_cache('over')} > 0.0"
    yield assign(rest, "datapoint.sum", ok, over)
    for index in range(MOST):
        yield assign(rest, f"{rest} - {_cache(f'n{index}')} * {_cache(f'v{index}')}", ok, over, f"{_LAST} > {index}")
    yield assign(rest, f"{rest} / {_cache('over')}", ok, over)
    for index in range(1, MOST):
        last, least = (ok, over, f"{_LAST} == {index}"), f"{_cache(f'l{index}')} * {literal(1 + _LEAST)}"
        yield assign(_cache(f"v{index}"), rest, *last)
        yield assign(_cache(f"v{index}"), least, *last, f"{rest} < {least}")


def _told(largest: str) -> Iterator[str]:
    ok = f"{_cache('ok')} == true"
    for index in range(MOST):
        n, found = _cache(f"n{index}"), _cache(f"v{index}")
        sane = (ok, f"{n} >= 1.0", f"{found} >= 0.0", f"{found} <= {largest}")
        yield assign(value(index), found, *sane)
        yield assign(count(index), n, *sane)
