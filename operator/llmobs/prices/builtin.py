"""The built-in list: what genai-prices knows of the providers we list, as rows by name.

Tokens and, where a provider takes one, the fee for each call: what is billed by searches, pages, characters or hours is no part of it.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache

from genai_prices import types as listed
from genai_prices.data import providers as _listed_providers

from llmobs.prices import rates
from llmobs.prices.names import forms, stem, undated, unplaced
from llmobs.prices.providers import PROVIDERS, Provider
from llmobs.prices.rows import Row, find, key

_SHORT_DATE = re.compile(r"-\d{4}$")
"""A release such as gpt-4-0613. Too much like a size to be cut from names nobody listed."""

_CALLED = {"r1": "deepseek-r1"}
"""Names that mean nothing without their vendor."""


@dataclass(frozen=True)
class Builtin:
    """Rows by name, and names that are other names of a row: they follow when a list of the user's prices that row anew."""

    rows: dict[str, Row] = field(default_factory=dict)
    aliases: dict[str, str] = field(default_factory=dict)


@cache
def builtin(at: dt.date | None) -> Builtin:
    """The list as of the day ``at``, UTC; without a day, every announced change counts as in force."""
    rows: dict[str, Row] = {}
    aliases: dict[str, str] = {}
    for provider in (item for item in PROVIDERS if item.owner):
        _own(provider, at, rows, aliases)
    while chained := {name: aliases[to] for name, to in aliases.items() if to in aliases}:
        aliases.update(chained)
    aliases.update({_azure(name): aliases.get(name, name) for name in (*rows, *aliases) if _azure(name) != name})
    rows.update(_free(rows))
    made = {**rows, **{name: rows[to] for name, to in aliases.items()}}
    for provider in (item for item in PROVIDERS if item.listed and not item.owner):
        rows.update(_hosted(provider, at, made))
    return Builtin(_pruned(rows), aliases)


def _own(provider: Provider, at: dt.date | None, rows: dict[str, Row], aliases: dict[str, str]) -> None:
    """Add the models of a provider that made them; a name that two of them list belongs to the first."""
    found = {name: row for name, row in _rows(provider, at).items() if name not in rows and name not in aliases}
    for name, row in found.items():
        short = row.model if _plain(name) == _plain(row.model) and name != row.model else _SHORT_DATE.sub("", name)
        same = found.get(short) if short != name else None
        if same is not None and same == row.called(same.model):
            aliases[name] = short
        else:
            rows[name] = row


def _hosted(provider: Provider, at: dt.date | None, made: dict[str, Row]) -> dict[str, Row]:
    """The prices of a provider that serves others' models; the canonical name is the maker's where the maker lists the model."""
    found: dict[str, Row] = {}
    for name, row in _rows(provider, at).items():
        maker = find(made, name)
        found[key(provider.name, name)] = row.called(maker.model) if maker else row
    return found


def _pruned(rows: dict[str, Row]) -> dict[str, Row]:
    """``rows`` without those that are found by a less specific name anyway."""
    kept = dict(rows)
    for full in sorted(rows):
        provider, _, name = full.rpartition("|")
        row = kept.pop(full)
        if find(kept, name, provider or None) != row:
            kept[full] = row
    return kept


def _rows(provider: Provider, at: dt.date | None) -> dict[str, Row]:
    source = next(item for item in _listed_providers if item.id == provider.listed)
    priced = [(model, price) for model in source.models if (price := rates.row(model, at))]
    found = {name: price for model, price in priced for name in _names(source, model)}
    called = {name: stem(model.id).rstrip("-") for model, _ in priced for name in _names(source, model)}
    return {name: row.called(_spelt(_label(name, row, found), called[name])) for name, row in sorted(found.items())}


def _spelt(label: str, name: str) -> str:
    """``label`` as the list itself spells the model's name, where both differ in dots and dashes only."""
    return _CALLED.get(label, name if _plain(label) == _plain(name) else label)


def _plain(name: str) -> str:
    return name.replace("-", "").replace(".", "")


def _azure(name: str) -> str:
    """Azure takes no dots in the names of these models."""
    return re.sub(r"^gpt-3\.5-", "gpt-35-", name)


def _free(rows: Mapping[str, Row]) -> dict[str, Row]:
    """What OpenRouter gives away. Such a name that is not listed has no price: it must not be taken for the model that is sold."""
    source = next(item for item in _listed_providers if item.id == "openrouter")
    names = {text.lower() for model in source.models for text in [*_literals(model.match), model.id] if text.endswith(":free")}
    return {name: Row(_free_label(name, rows), 0.0, 0.0, 0.0, 0.0, 0.0) for name in sorted(names)}


def _free_label(name: str, rows: Mapping[str, Row]) -> str:
    sold = stem(name.removesuffix(":free"))
    known = find(rows, sold)
    return known.model if known else sold


def _label(name: str, row: Row, found: dict[str, Row]) -> str:
    """The stem, unless a less specific name has another price: then the dated name or, without a date, the name with its version."""
    lesser = [found[form] for form in forms(name) if form != name and form in found]
    if lesser and lesser[-1].called("") == row.called(""):
        return stem(name)
    return undated(name) if lesser and undated(name) != stem(name) else unplaced(name)


def _names(source: listed.Provider, model: listed.ModelInfo) -> set[str]:
    """The names by which a call may ask for ``model``: literals of its rule that lead to it and to no model listed before it."""
    literal = {text.lower().lstrip("/") for text in _literals(model.match)} | {model.id.lower()}
    whole = {text for text in literal if text[-1] not in "-@.:/"}
    every = whole | {stem(text) for text in whole} | {_SHORT_DATE.sub("", text) for text in whole}
    unclaimed = {model.id.lower()} & whole if source.find_model(model.id) is None else set()
    if source.id == "aws":
        # some instrumentations leave the vendor out, and profiles put a region before it
        unclaimed |= {short for text in whole if (short := forms(text)[-3]) != text and source.find_model(short) is None}
    unclaimed |= {text for text in _tuned(source, literal) if source.find_model(text) is model}
    return unclaimed | {text for text in every if source.find_model(text) is model}


def _tuned(source: listed.Provider, literal: set[str]) -> set[str]:
    """A rule for every fine-tuned model of a name covers the names that are listed of that model."""
    every = {text for model in source.models for text in _literals(model.match)}
    return {f"ft:{text}" for rule in literal if rule.startswith("ft:") and rule[-1] == "-" for text in every if text.startswith(rule[3:])}


def _literals(clause: listed.MatchLogic) -> Iterator[str]:
    if isinstance(clause, listed.ClauseOr):
        for part in clause.or_:
            yield from _literals(part)
    elif isinstance(clause, listed.ClauseAnd):
        for part in clause.and_:
            yield from _literals(part)
    elif not isinstance(clause, listed.ClauseRegex):
        yield from (value for value in vars(clause).values() if isinstance(value, str) and value)
