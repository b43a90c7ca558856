"""LLMPriceList: prices and names of models that the built-in list lacks or has differently."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from llmobs.kit.schema import Rule, prop, ruled

MODEL = r"^[^\s,;=\"'{}\\$]{1,256}$"
"""A model's name as the provider writes it."""


class Currency(enum.Enum):
    """The currency of the prices."""

    USD = "USD"


@dataclass(frozen=True, kw_only=True)
class Price:
    """The price of one model, in US dollars per million tokens."""

    model: str = prop(pattern=MODEL, max_length=256)
    """The model's name, as the application requests it."""
    provider: str = prop("", pattern=r"^([a-z0-9][-a-z0-9._]{0,62})?$", default_in_crd=True)
    """The provider (gen_ai.provider.name) this price is for; empty means every provider."""
    input_per_million: float = prop(minimum=0, maximum=1e6)
    """Input tokens that were not cached."""
    output_per_million: float = prop(minimum=0, maximum=1e6)
    """Output tokens, reasoning tokens included unless priced on their own."""
    cached_input_per_million: float | None = prop(None, minimum=0, maximum=1e6)
    """Input tokens read from the provider's cache; absent means the input price."""
    cache_write_per_million: float | None = prop(None, minimum=0, maximum=1e6)
    """Input tokens written to the provider's cache; absent means the input price."""
    reasoning_per_million: float | None = prop(None, minimum=0, maximum=1e6)
    """Reasoning tokens; absent means the output price."""


@ruled(
    Rule(
        cel="self.from != self.to",
        message="an alias must lead to another name",
        holds=lambda alias: alias.from_ != alias.to,
        path="to",
    )
)
@dataclass(frozen=True, kw_only=True)
class Alias:
    """Another name of a model, such as the name of a deployment."""

    from_: str = prop(pattern=MODEL, max_length=256)
    """The name that calls carry."""
    to: str = prop(pattern=MODEL, max_length=256)
    """The name of a model that has a price."""


@dataclass(frozen=True, kw_only=True)
class LLMPriceListSpec:
    """Prices that win over the built-in list, and aliases."""

    currency: Currency = prop(Currency.USD, default_in_crd=True)
    """The currency of all prices."""
    prices: tuple[Price, ...] = prop((), max_items=2000, keys=("model", "provider"))
    """Prices by model and, where given, provider."""
    aliases: tuple[Alias, ...] = prop((), max_items=2000, keys=("from_",))
    """Other names of models. An alias may lead to another alias, but never in a circle."""
