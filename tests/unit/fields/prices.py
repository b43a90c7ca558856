"""The fields of LLMPriceList."""

from __future__ import annotations

from tests.unit.fields.effects import Case

UNPRICED = {"model": "acme-1", "inputPerMillion": 1, "outputPerMillion": 2}
BATCH = {"tier": "Batch", "inputPerMillion": 0.5, "outputPerMillion": 1}
LONG = {"longContext": True, "inputPerMillion": 2, "outputPerMillion": 4}


def tiers(*entries: dict[str, object], above: int = 0) -> dict[str, object]:
    """A list of one model with these entries."""
    return {"prices": [{**UNPRICED, "longContextAbove": above, "tiers": list(entries)}]}


PRICE_FIELDS: dict[str, Case] = {
    "currency": ({}, {"currency": "EUR"}),
    "prices[].model": ({"prices": [UNPRICED]}, {"prices": [{**UNPRICED, "model": "acme-2"}]}),
    "aliases[].from": (
        {"prices": [UNPRICED], "aliases": [{"from": "x", "to": "acme-1"}]},
        {"prices": [UNPRICED], "aliases": [{"from": "y", "to": "acme-1"}]},
    ),
    "aliases[].to": ({"aliases": [{"from": "x", "to": "gpt-4o"}]}, {"aliases": [{"from": "x", "to": "gpt-4o-mini"}]}),
    "prices[].effectiveFrom": (
        {"prices": [UNPRICED, {**UNPRICED, "inputPerMillion": 7, "effectiveFrom": "2026-02-01T00:00:00Z"}]},
        {"prices": [{**UNPRICED, "effectiveFrom": "2026-03-01T00:00:00Z"}, {**UNPRICED, "inputPerMillion": 7}]},
    ),
    "prices[].longContextAbove": (tiers(LONG, above=1000), tiers(LONG, above=2000)),
    "prices[].tiers[].tier": (tiers(BATCH), tiers({**BATCH, "tier": "Flex"})),
    "prices[].tiers[].longContext": (tiers(LONG, BATCH, above=1000), tiers(LONG, {**BATCH, "longContext": True}, above=1000)),
    **{
        f"prices[].tiers[].{name}": (tiers(BATCH), tiers({**BATCH, name: value}))
        for name, value in {
            "inputPerMillion": 0.7,
            "outputPerMillion": 1.5,
            "cachedInputPerMillion": 0.1,
            "cacheWritePerMillion": 0.9,
            "reasoningPerMillion": 3,
        }.items()
    },
    "defaultDiscount": ({}, {"defaultDiscount": 0.1}),
    "discounts[].provider": (
        {"discounts": [{"provider": "openai", "discount": 0.1}]},
        {"discounts": [{"provider": "anthropic", "discount": 0.1}]},
    ),
    "discounts[].discount": (
        {"discounts": [{"provider": "openai", "discount": 0.1}]},
        {"discounts": [{"provider": "openai", "discount": 0.2}]},
    ),
    **{
        f"prices[].{name}": ({"prices": [UNPRICED]}, {"prices": [{**UNPRICED, name: value}]})
        for name, value in {
            "provider": "openai",
            "inputPerMillion": 7,
            "outputPerMillion": 8,
            "cachedInputPerMillion": 0.5,
            "cacheWritePerMillion": 9,
            "reasoningPerMillion": 11,
        }.items()
    },
}
