"""The fields of LLMPriceList."""

from __future__ import annotations

from tests.unit.fields.effects import Case

UNPRICED = {"model": "acme-1", "inputPerMillion": 1, "outputPerMillion": 2}

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
