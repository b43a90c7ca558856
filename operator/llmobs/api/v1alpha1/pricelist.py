"""LLMPriceList: prices and names of models that the built-in list lacks or has differently."""

from __future__ import annotations

import datetime as dt
import enum
from dataclasses import dataclass

from llmobs.kit.errors import Invalid
from llmobs.kit.schema import Rule, prop, ruled

MODEL = r"^[^\s,;=\"'{}\\$]{1,256}$"
"""A model's name as the provider writes it."""

PROVIDER = r"[a-z0-9][-a-z0-9._]{0,62}"
MOMENT = r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z"
ALWAYS = dt.datetime.min.replace(tzinfo=dt.UTC)


class Currency(enum.Enum):
    """The currency of the prices."""

    USD = "USD"


class ServiceTier(enum.Enum):
    """How a provider processed a call, as the call's span tells it."""

    STANDARD = "Standard"
    BATCH = "Batch"
    FLEX = "Flex"
    PRIORITY = "Priority"
    FAST = "Fast"


@ruled(
    Rule(
        cel="self.tier != 'Standard' || self.longContext",
        message="name a tier other than Standard, or set longContext: the price itself is for all other calls",
        holds=lambda price: price.tier is not ServiceTier.STANDARD or price.long_context,
        path="tier",
    )
)
@dataclass(frozen=True, kw_only=True)
class TierPrice:
    """What counts instead of a model's price for some of its calls; what it leaves out is as in the price."""

    tier: ServiceTier = prop(ServiceTier.STANDARD, default_in_crd=True)
    """The service tier of the calls: Batch, Flex, Priority or Fast; Standard: of calls without one of these."""
    long_context: bool = prop(False, default_in_crd=True)
    """Whether it is for calls with more input tokens than longContextAbove."""
    input_per_million: float = prop(minimum=0, maximum=1e6)
    """Input tokens that were not cached."""
    output_per_million: float = prop(minimum=0, maximum=1e6)
    """Output tokens, reasoning tokens included unless priced on their own."""
    cached_input_per_million: float | None = prop(None, minimum=0, maximum=1e6)
    """Input tokens read from the provider's cache; absent means the price's figure or, where it has none, the input price here."""
    cache_write_per_million: float | None = prop(None, minimum=0, maximum=1e6)
    """Input tokens written to the provider's cache; absent means the price's figure or, where it has none, the input price here."""
    reasoning_per_million: float | None = prop(None, minimum=0, maximum=1e6)
    """Reasoning tokens; absent means the price's figure or, where it has none, the output price here."""


@ruled(
    Rule(
        cel="self.longContextAbove > 0 || !has(self.tiers) || !self.tiers.exists(t, t.longContext)",
        message="an entry of tiers is for long contexts; say beyond how many input tokens",
        holds=lambda price: price.long_context_above > 0 or not any(item.long_context for item in price.tiers),
        path="longContextAbove",
    ),
    Rule(
        cel="self.longContextAbove == 0 || (has(self.tiers) && self.tiers.exists(t, t.longContext))",
        message="no entry of tiers is for long contexts; add one with longContext, or leave the bound out",
        holds=lambda price: price.long_context_above == 0 or any(item.long_context for item in price.tiers),
        path="longContextAbove",
    ),
)
@dataclass(frozen=True, kw_only=True)
class Price:
    """The price of one model, in US dollars per million tokens."""

    model: str = prop(pattern=MODEL, max_length=256)
    """The model's name, as the application requests it."""
    provider: str = prop("", pattern=rf"^({PROVIDER})?$", max_length=63, default_in_crd=True)
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
    long_context_above: int = prop(0, minimum=0, maximum=100000000, default_in_crd=True)
    """Input tokens of a call, cached ones included, beyond which the entries of tiers with longContext count; 0: there are none."""
    tiers: tuple[TierPrice, ...] = prop((), max_items=9, keys=("tier", "long_context"))
    """Prices of calls of some service tiers, and of long contexts. A call of a tier without an entry costs the price itself; a call of a
    tier that is long too costs the tier's entry with longContext or, where there is none, the one of Standard."""
    effective_from: str = prop("", pattern=rf"^({MOMENT})?$", max_length=20, default_in_crd=True)
    """The moment from which this price counts, in UTC, such as ``2026-11-01T00:00:00Z``; empty means always. Of several prices of one
    model the latest that has begun counts, so earlier ones may stay as history and later ones be announced."""

    def begins(self, path: str) -> dt.datetime:
        """``effective_from`` as a moment. Raises :class:`Invalid` at ``path`` when the calendar has no such day or hour."""
        try:
            return dt.datetime.fromisoformat(self.effective_from) if self.effective_from else ALWAYS
        except ValueError:
            raise Invalid(path, f"{self.effective_from!r} is no moment; write one such as 2026-11-01T00:00:00Z") from None


@dataclass(frozen=True, kw_only=True)
class Discount:
    """What one provider takes off its list prices."""

    provider: str = prop(pattern=rf"^{PROVIDER}$", max_length=63)
    """The provider (gen_ai.provider.name)."""
    discount: float = prop(minimum=0, maximum=1)
    """The share taken off, from 0 to 1, in place of defaultDiscount."""


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
    prices: tuple[Price, ...] = prop((), max_items=2000, keys=("model", "provider", "effective_from"))
    """Prices by model and, where given, provider and beginning."""
    aliases: tuple[Alias, ...] = prop((), max_items=2000, keys=("from_",))
    """Other names of models. An alias may lead to another alias, but never in a circle."""
    default_discount: float = prop(0.0, minimum=0, maximum=1, default_in_crd=True)
    """The share taken off list prices, from 0 to 1. Prices of an LLMPriceList are what is paid: nothing is taken off them."""
    discounts: tuple[Discount, ...] = prop((), max_items=64, keys=("provider",))
    """Discounts of single providers, in place of defaultDiscount."""
