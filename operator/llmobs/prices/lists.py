"""What the LLMPriceLists say, checked against one another and laid over the built-in list."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from llmobs.api.v1alpha1.pricelist import LLMPriceListSpec, Price, ServiceTier, TierPrice
from llmobs.kit.errors import Invalid
from llmobs.prices.builtin import Builtin
from llmobs.prices.names import forms, stem, undated
from llmobs.prices.providers import canonical as canonical_provider
from llmobs.prices.rows import Row, Variant, bare, find, find_anywhere, key


@dataclass(frozen=True)
class Source:
    """One LLMPriceList, with names in lower case and providers by their canonical names."""

    name: str
    prices: Mapping[str, tuple[int, Price]]
    """Key of the row -> position in spec.prices and the price; of several the one that begins last."""
    aliases: Mapping[str, tuple[int, str]]
    """Name -> position in spec.aliases and the name it leads to."""
    discounts: Mapping[str, tuple[str, float]] = field(default_factory=dict)
    """Provider, or none for all others -> path of the field and the share taken off list prices."""
    history: Mapping[str, Mapping[dt.datetime, tuple[int, Price]]] = field(default_factory=dict)
    """Key of the row -> beginning -> position in spec.prices and the price."""

    def at(self, moment: dt.datetime | None) -> Source:
        """The same list with the prices in force then; without a moment with all that are announced."""
        if moment is None:
            return self
        begun = {full: [start for start in prices if start <= moment] for full, prices in self.history.items()}
        return replace(self, prices={full: self.history[full][max(starts)] for full, starts in begun.items() if starts})


def source(name: str, spec: LLMPriceListSpec) -> Source:
    """One list by itself. Raises :class:`Invalid` when it gives one name twice."""
    history = _history(spec)
    aliases: dict[str, tuple[int, str]] = {}
    for index, alias in enumerate(spec.aliases):
        path = f"spec.aliases[{index}]"
        from_ = _plain(alias.from_, f"{path}.from")
        if from_ in aliases:
            raise Invalid(f"{path}.from", f"{alias.from_!r} is an alias by spec.aliases[{aliases[from_][0]}] already; keep one of them")
        aliases[from_] = (index, _plain(alias.to, f"{path}.to"))
    latest = {full: prices[max(prices)] for full, prices in history.items()}
    return Source(name, latest, aliases, _discounts(spec), history)


def _history(spec: LLMPriceListSpec) -> dict[str, dict[dt.datetime, tuple[int, Price]]]:
    found: dict[str, dict[dt.datetime, tuple[int, Price]]] = {}
    for index, price in enumerate(spec.prices):
        path = f"spec.prices[{index}].model"
        full = key(canonical_provider(price.provider) if price.provider else None, _plain(price.model, path))
        start, prices = price.begins(f"spec.prices[{index}].effectiveFrom"), found.setdefault(full, {})
        if start in prices:
            raise Invalid(path, f"{price.model!r} is priced by spec.prices[{prices[start][0]}] already; keep one of them")
        prices[start] = (index, price)
    return found


def _discounts(spec: LLMPriceListSpec) -> dict[str, tuple[str, float]]:
    found = {"": ("spec.defaultDiscount", spec.default_discount)} if spec.default_discount else {}
    for index, item in enumerate(spec.discounts):
        path, provider = f"spec.discounts[{index}].provider", canonical_provider(item.provider)
        if provider in found:
            raise Invalid(path, f"{provider} has a discount by {found[provider][0]} already; keep one of them")
        found[provider] = (path, item.discount)
    return found


def _plain(name: str, path: str) -> str:
    if "|" in name:
        raise Invalid(path, "a model's name takes no |; the provider has a field of its own")
    return name.lower()


def checked(made: Source, older: Iterable[Source], base: Builtin) -> Source:
    """``made``, when it contradicts neither itself nor an older list. Raises :class:`Invalid`."""
    known = list(older)
    for other in known:
        _prices_once(made, other)
        _aliases_once(made, other)
        _discounts_once(made, other)
    _either(made, [*known, made])
    _acyclic(made, known, base)
    return made


def _prices_once(made: Source, other: Source) -> None:
    for full, (index, price) in made.prices.items():
        if full in other.prices:
            raise Invalid(f"spec.prices[{index}].model", f"{price.model!r} is priced by LLMPriceList {other.name}; keep one of them")


def _aliases_once(made: Source, other: Source) -> None:
    for from_, (index, _) in made.aliases.items():
        if from_ in other.aliases:
            raise Invalid(f"spec.aliases[{index}].from", f"{from_!r} is an alias in LLMPriceList {other.name} already; keep one of them")


def _discounts_once(made: Source, other: Source) -> None:
    for provider, (path, _) in made.discounts.items():
        if provider in other.discounts:
            raise Invalid(path, f"LLMPriceList {other.name} gives the discount of {provider or 'all providers'}; keep one of them")


def _either(made: Source, every: list[Source]) -> None:
    """A name has a price or leads to another name, never both."""
    for other in every:
        priced = {bare(full) for full in other.prices}
        for from_, (index, _) in made.aliases.items():
            if from_ in priced:
                raise Invalid(f"spec.aliases[{index}].from", f"{from_!r} has a price in LLMPriceList {other.name}; remove one of the two")
        for full, (index, price) in made.prices.items():
            if bare(full) in other.aliases:
                raise Invalid(f"spec.prices[{index}].model", f"{price.model!r} is an alias in LLMPriceList {other.name}; remove one")


def _acyclic(made: Source, older: list[Source], base: Builtin) -> None:
    every = [*older, made]
    leads, listed = _leads(base, every), _listed(base, every)
    for from_, (index, _) in made.aliases.items():
        way = _way(from_, leads, listed)
        if way[-1] in way[:-1]:
            said = " -> ".join(way)
            raise Invalid(f"spec.aliases[{index}].to", f"leads in a circle: {said}; let one of them lead to a model that has a price")


def _leads(base: Builtin, sources: list[Source]) -> dict[str, str]:
    """Every name that leads to another; a name the lists speak of is theirs."""
    own = {from_: to for item in sources for from_, (_, to) in item.aliases.items()}
    priced = {bare(full) for item in sources for full in item.prices}
    return {**{from_: to for from_, to in base.aliases.items() if from_ not in priced}, **own}


def _listed(base: Builtin, sources: list[Source]) -> set[str]:
    """Every name that has a price."""
    return {bare(full) for full in base.rows} | {bare(full) for item in sources for full in item.prices}


def _way(from_: str, leads: Mapping[str, str], listed: set[str]) -> list[str]:
    """The names an alias leads through, ending at one that leads nowhere or was there before."""
    way = [from_]
    while way[-1] in leads:
        to = leads[way[-1]]
        way.append(next((form for form in forms(to) if form in leads or form in listed), to))
        if way[-1] in way[:-1]:
            break
    return way


def merged(base: Builtin, sources: list[Source]) -> dict[str, Row]:
    """The rows of the built-in list and of all lists, aliases resolved."""
    rows = _kept(base, sources)
    for item in sources:
        rows.update({full: _row(full, price, base) for full, (_, price) in item.prices.items()})
    leads, listed = _leads(base, sources), _listed(base, sources)
    resolved = {from_: _way(from_, leads, listed)[-1] for from_ in leads}
    copies = [_copies(from_, to, rows) for from_, to in sorted(resolved.items())]
    for copy in copies:
        rows.update(copy)
    return rows


def _kept(base: Builtin, sources: list[Source]) -> dict[str, Row]:
    """The built-in rows that no list replaces.

    A list's entry replaces the name's own row and the rows of the same model for regions and, unless it is one provider's entry,
    for providers; a dated name with a price of its own stays.
    """
    spoken: dict[str, set[str]] = {}
    for item in sources:
        for full in [*item.prices, *item.aliases]:
            spoken.setdefault(bare(full), set()).add(full.rpartition("|")[0])

    def replaced(full: str, row: Row) -> bool:
        provider, _, name = full.rpartition("|")
        short = stem(name)
        entries = spoken.get(name, set()) | (spoken.get(short, set()) if row.model == short else set())
        return "" in entries or provider in entries

    return {full: row for full, row in base.rows.items() if not replaced(full, row)}


def _row(full: str, price: Price, base: Builtin) -> Row:
    rates = _rates(price, price)
    return Row(
        model=_label(bare(full), base),
        input=rates["i"],
        output=rates["o"],
        cache_read=rates["r"],
        cache_write=rates["w"],
        reasoning=rates["t"],
        agreed=True,
        variants=tuple(_variant(item, price) for item in price.tiers),
    )


def _variant(item: TierPrice, price: Price) -> Variant:
    tier = "" if item.tier is ServiceTier.STANDARD else item.tier.value.lower()
    return Variant(tier, float(price.long_context_above) if item.long_context else 0.0, tuple(_rates(item, price).items()))


def _rates(given: Price | TierPrice, price: Price) -> dict[str, float]:
    """The rates by the letters of the collector's statements; what is not given is as in the price, then that of the whole."""

    def first(*figures: float | None) -> float:
        return next(figure for figure in figures if figure is not None)

    paid, made = given.input_per_million, given.output_per_million
    return {
        "i": paid,
        "o": made,
        "r": first(given.cached_input_per_million, price.cached_input_per_million, paid),
        "w": first(given.cache_write_per_million, price.cache_write_per_million, paid),
        "t": first(given.reasoning_per_million, price.reasoning_per_million, made),
    }


def _label(name: str, base: Builtin) -> str:
    """A listed name is its own canonical name; one with a path, region or version is called as the model without these is."""
    if name == undated(name):
        return name
    known = find_anywhere(base.rows, name)
    return known.model if known else stem(name)


def _copies(from_: str, to: str, rows: Mapping[str, Row]) -> dict[str, Row]:
    """The rows of an alias: copies of what it leads to, the plain one and each provider's that differs."""
    plain = find(rows, to)
    providers = sorted({full.rpartition("|")[0] for full in rows if "|" in full})
    own = {key(provider, from_): row for provider in providers if (row := find(rows, to, provider)) and row != plain}
    return {**own, from_: plain} if plain else own


def dangling(rows: Mapping[str, Row], sources: list[Source]) -> dict[str, Invalid]:
    """The lists with an alias that leads to no price -> the first such alias."""
    priced = {bare(full) for full in rows}
    found: dict[str, Invalid] = {}
    for item in sources:
        for from_, (index, to) in item.aliases.items():
            if from_ not in priced:
                said = f"{to!r} has no price; add one to spec.prices or correct the name"
                found.setdefault(item.name, Invalid(f"spec.aliases[{index}].to", said))
    return found
