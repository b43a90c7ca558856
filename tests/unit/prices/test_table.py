"""The price table: list prices, what lists overrule, and which lists are refused."""

import datetime as dt
from typing import Any

import pytest
from genai_prices import Usage, calc_price
from llmobs.api.effective import Identity
from llmobs.api.v1alpha1.pricelist import LLMPriceListSpec
from llmobs.kit.decode import decode
from llmobs.prices.providers import PROVIDERS, SYNONYMS, canonical
from llmobs.prices.table import PriceTable, Row, table

from tests.unit.prices.spellings import SPELLINGS


def spec(*prices: dict[str, Any], **aliases: str) -> LLMPriceListSpec:
    made = [{"inputPerMillion": 1, "outputPerMillion": 2, **price} for price in prices]
    led = [{"from": from_.replace("__", "-"), "to": to} for from_, to in aliases.items()]
    return decode(LLMPriceListSpec, {"prices": made, "aliases": led})


def one(*prices: dict[str, Any], **aliases: str) -> PriceTable:
    made = table([(Identity("list"), spec(*prices, **aliases))])
    assert made.refused == {}
    return made


def said(*lists: tuple[str, LLMPriceListSpec]) -> dict[str, str]:
    return {name: str(finding) for name, finding in table([(Identity(name), item) for name, item in lists]).refused.items()}


LISTED = [
    ("openai", "openai", "gpt-4o-mini"),
    ("openai", "openai", "gpt-4o-2024-05-13"),
    ("openai", "openai", "o3-mini-2025-01-31"),
    ("openai", "openai", "text-embedding-3-small"),
    ("anthropic", "anthropic", "claude-3-5-haiku-latest"),
    ("anthropic", "anthropic", "claude-opus-4-1-20250805"),
    ("gcp.gemini", "google", "models/gemini-2.5-flash"),
    ("mistral_ai", "mistral", "mistral-large-latest"),
    ("groq", "groq", "llama-3.3-70b-versatile"),
    ("aws.bedrock", "aws", "us.anthropic.claude-haiku-4-5-20251001-v1:0"),
    ("aws.bedrock", "aws", "global.anthropic.claude-haiku-4-5-20251001-v1:0"),
    ("aws.bedrock", "aws", "amazon.nova-lite-v1:0"),
    ("x_ai", "x-ai", "grok-4"),
]


@pytest.mark.parametrize(("provider", "listed", "name"), LISTED)
def test_list_prices_are_those_of_the_list(provider: str, listed: str, name: str) -> None:
    row = table([]).find(name, provider)
    asked = name.removeprefix("models/")
    # tiers by the length of the input are not told apart: their base counts, as for a short input
    short, later = Usage(input_tokens=1000, output_tokens=1000), dt.datetime(2027, 1, 1, tzinfo=dt.UTC)
    cost = calc_price(short, asked, provider_id=listed, genai_request_timestamp=later).total_price

    assert row is not None
    assert (row.input + row.output) / 1000 == pytest.approx(float(cost), abs=1e-12)


@pytest.mark.parametrize(("provider", "asked", "label", "listed"), SPELLINGS)
def test_a_providers_spelling_leads_to_the_price_and_to_one_label(provider: str, asked: str, label: str, listed: str) -> None:
    row = table([]).find(asked, provider)

    assert (row.model if row else "other") == label
    if row:
        source, _, name = listed.partition(":")
        cost = calc_price(Usage(input_tokens=1000, output_tokens=1000), name, provider_id=source).total_price
        assert (row.input + row.output) / 1000 == pytest.approx(float(cost), abs=1e-12)


def test_other_spellings_follow_a_price_of_your_own() -> None:
    made = one({"model": "claude-sonnet-4-5"}, {"model": "gpt-3.5-turbo"})

    for provider, name in (("openrouter", "anthropic/claude-sonnet-4.5"), ("azure.ai.openai", "gpt-35-turbo")):
        row = made.find(name, provider)
        assert row is not None
        assert (row.input, row.output) == (1, 2)


def test_prices_without_a_figure_of_their_own_fall_back() -> None:
    row = one({"model": "m", "inputPerMillion": 3, "outputPerMillion": 5}).find("m")

    assert row == Row("m", 3, 5, cache_read=3, cache_write=3, reasoning=5, agreed=True)


def test_a_price_that_changes_counts_from_its_day() -> None:
    before, after = (
        table([], at=dt.datetime(2025, 6, 1, tzinfo=dt.UTC)).find("o3"),
        table([], at=dt.datetime(2026, 11, 21, tzinfo=dt.UTC)).find("o3"),
    )

    assert before is not None
    assert after is not None
    assert before.input > after.input
    assert table([]).find("o3") == after


def test_a_dated_name_keeps_its_own_price_and_name() -> None:
    assert table([]).canonical("gpt-4o-2024-08-06") == "gpt-4o"
    assert table([]).canonical("gpt-4o-2024-05-13") == "gpt-4o-2024-05-13"
    assert table([]).canonical("openai/gpt-4o-2024-05-13") == "gpt-4o-2024-05-13"
    assert table([]).canonical("gpt-4-0613") == "gpt-4"


def test_an_unknown_name_is_other() -> None:
    assert table([]).canonical("acme-70b") == "other"
    assert PriceTable().canonical("gpt-4o") == "other"


def test_a_list_overrules_the_list_prices_for_every_provider_and_region() -> None:
    made = one({"model": "claude-haiku-4-5"})

    for provider, name in (
        (None, "claude-haiku-4-5-20251001"),
        ("aws.bedrock", "us.anthropic.claude-haiku-4-5-20251001-v1:0"),
        ("gcp.vertex_ai", "claude-haiku-4-5@20251001"),
    ):
        assert made.find(name, provider) == Row("claude-haiku-4-5", 1, 2, 1, 1, 2, agreed=True)


def test_a_providers_price_is_for_its_calls_only() -> None:
    made, plain = one({"model": "gpt-4o", "provider": "Azure".lower()}), table([]).find("gpt-4o")

    assert made.find("gpt-4o", "azure.ai.openai") == Row("gpt-4o", 1, 2, 1, 1, 2, agreed=True)
    assert made.find("gpt-4o", "openai") == plain
    assert made.find("gpt-4o") == plain


def test_a_price_does_not_touch_a_dated_name_with_its_own() -> None:
    made = one({"model": "gpt-4o"})

    assert made.find("gpt-4o-2024-05-13") == table([]).find("gpt-4o-2024-05-13")
    assert made.find("gpt-4o-2024-11-20") == Row("gpt-4o", 1, 2, 1, 1, 2, agreed=True)


def test_other_names_of_a_model_follow_its_new_price() -> None:
    assert one({"model": "gpt-4"}).find("gpt-4-0613") == Row("gpt-4", 1, 2, 1, 1, 2, agreed=True)


def test_a_model_that_one_provider_sells_is_known_by_name() -> None:
    made = one({"model": "acme-70b", "provider": "acme"})

    assert made.find("acme-70b") is None
    assert made.find("acme-70b", "acme") is not None
    assert made.canonical("acme-70b") == "acme-70b"


def test_aliases_lead_on_to_a_price() -> None:
    made = one({"model": "acme-70b"}, my__dep="other-dep", other__dep="acme-70b", our__gpt="openai/gpt-4o-2024-08-06")

    assert made.canonical("my-dep") == "acme-70b"
    assert made.canonical("My-Dep-2027-01-01") == "acme-70b"
    assert made.canonical("our-gpt") == "gpt-4o"
    assert made.find("our-gpt", "azure.ai.openai") == made.find("gpt-4o", "azure.ai.openai")


def test_an_alias_takes_over_a_name_of_the_list_prices() -> None:
    made = one({"model": "acme-70b"}, gpt__4="acme-70b")

    assert made.canonical("gpt-4") == "acme-70b"
    assert made.find("gpt-4", "azure.ai.openai") == made.find("acme-70b")


@pytest.mark.parametrize(
    ("wrong", "path"),
    [
        (spec({"model": "m"}, {"model": "M"}), "spec.prices[1].model"),
        (spec({"model": "m", "provider": "azure"}, {"model": "m", "provider": "azure.ai.openai"}), "spec.prices[1].model"),
        (spec({"model": "a|b"}), "spec.prices[0].model"),
        (spec({"model": "m"}, m="gpt-4o"), "spec.aliases[0].from"),
        (spec(a="b", b="a"), "spec.aliases[0].to"),
        (spec(a="x/a"), "spec.aliases[0].to"),
        (spec(a="nobody-sells-this"), "spec.aliases[0].to"),
        (spec({"model": "m"}, a="m", b="nobody-sells-this"), "spec.aliases[1].to"),
        (spec(gpt__4="gpt-4-0613"), "spec.aliases[0].to"),
    ],
)
def test_a_list_that_contradicts_itself_is_refused_with_the_field(wrong: LLMPriceListSpec, path: str) -> None:
    made = table([(Identity("good"), spec({"model": "good-model"})), (Identity("wrong"), wrong)])

    assert {name: finding.path for name, finding in made.refused.items()} == {"wrong": path}
    assert made.canonical("good-model") == "good-model"
    assert made.rows == one({"model": "good-model"}).rows


def test_of_two_lists_that_disagree_the_older_one_counts() -> None:
    old = Identity("z-old", created="2026-01-01T00:00:00Z"), spec({"model": "m", "inputPerMillion": 5})
    new = Identity("a-new", created="2026-02-01T00:00:00Z"), spec({"model": "m"}, {"model": "n"})

    made = table([new, old])

    assert str(made.refused["a-new"]) == "spec.prices[0].model: 'm' is priced by LLMPriceList z-old; keep one of them"
    assert made.canonical("n") == "other"
    assert made.find("m") == Row("m", 5, 2, 5, 5, 2, agreed=True)


def test_lists_disagree_on_aliases_too() -> None:
    priced, led = spec({"model": "m"}), spec(m="gpt-4o")

    assert said(("a", priced), ("b", led)) == {"b": "spec.aliases[0].from: 'm' has a price in LLMPriceList a; remove one of the two"}
    assert said(("a", led), ("b", priced)) == {"b": "spec.prices[0].model: 'm' is an alias in LLMPriceList a; remove one"}
    assert said(("a", led), ("b", led)) == {"b": "spec.aliases[0].from: 'm' is an alias in LLMPriceList a already; keep one of them"}
    circle = said(("a", spec(x="y")), ("b", spec(y="x")))
    assert circle["b"] == "spec.aliases[0].to: leads in a circle: y -> x -> y; let one of them lead to a model that has a price"


def test_what_leads_into_a_refused_list_is_refused_as_well() -> None:
    made = said(("a", spec(x="only-in-b")), ("b", spec({"model": "only-in-b"}, lost="nobody-sells-this")), ("c", spec(y="x")))

    assert {name: text.partition(":")[0] for name, text in made.items()} == dict.fromkeys("abc", "spec.aliases[0].to")


def test_an_alias_may_lead_into_a_later_list() -> None:
    made = table([(Identity("a"), spec(x="sold-in-b")), (Identity("b"), spec({"model": "sold-in-b"}))])

    assert made.refused == {}
    assert made.canonical("x") == "sold-in-b"


def test_the_order_of_lists_makes_no_difference() -> None:
    lists = [(Identity(name), spec({"model": name}, {"model": "gpt-4o", "provider": name})) for name in ("a", "b", "c")]

    assert list(table(lists).rows.items()) == list(table(reversed(lists)).rows.items())


def test_providers_have_one_name_each() -> None:
    assert canonical("AZ.AI.OpenAI") == "azure.ai.openai"
    assert canonical("somebody") == "somebody"
    assert not set(SYNONYMS) & {provider.name for provider in PROVIDERS}
    assert len(SYNONYMS) == sum(len(provider.also) for provider in PROVIDERS)


def moment(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text)


def test_of_several_prices_the_latest_that_has_begun_counts() -> None:
    made = {"": 1, "2026-02-01T00:00:00Z": 3, "2026-03-01T06:30:00Z": 5}
    item = spec(*({"model": "m", "inputPerMillion": rate, "effectiveFrom": start} for start, rate in made.items()))

    def at(text: str) -> tuple[float, dt.datetime]:
        found = table([(Identity("l"), item)], at=moment(text))
        row = found.find("m")
        assert row is not None
        return row.input, found.until

    assert at("2026-01-31T23:59:59Z") == (1, moment("2026-02-01T00:00:00Z"))
    assert at("2026-02-01T00:00:00Z") == (3, moment("2026-02-02T00:00:00Z"))
    assert at("2026-03-01T05:00:00Z") == (3, moment("2026-03-01T06:30:00Z"))
    assert at("2026-03-01T08:30:00+02:00")[0] == 5


def test_a_price_that_has_not_begun_leaves_the_list_price_and_makes_no_alias_dangle() -> None:
    later = {"effectiveFrom": "2027-01-01T00:00:00Z"}
    lists = [(Identity("l"), spec({"model": "gpt-4o", **later}, {"model": "acme", **later}, ours="acme"))]
    early = table(lists, at=moment("2026-12-31T23:59:59Z"))

    assert early.refused == {}
    assert early.find("gpt-4o") == table([]).find("gpt-4o")
    assert (early.find("acme"), early.find("ours")) == (None, None)
    assert table(lists, at=moment("2027-01-01T00:00:00Z")).canonical("ours") == "acme"


def discounted(*pairs: tuple[str, float], default: float = 0.0) -> LLMPriceListSpec:
    given = [{"provider": provider, "discount": share} for provider, share in pairs]
    return decode(LLMPriceListSpec, {"defaultDiscount": default, "discounts": given})


def test_discounts_are_kept_by_canonical_provider() -> None:
    assert table([(Identity("l"), discounted(("azure", 0.3), default=0.1))]).discounts == {"": 0.1, "azure.ai.openai": 0.3}


def test_a_second_discount_and_an_impossible_moment_are_refused() -> None:
    first, second = discounted(("azure", 0.3), default=0.1), discounted(default=0.1)

    assert said(("a", first), ("b", second)) == {
        "b": "spec.defaultDiscount: LLMPriceList a gives the discount of all providers; keep one of them"
    }
    assert said(("a", discounted(("azure", 0.3), ("azure.ai.openai", 0.3)))) == {
        "a": "spec.discounts[1].provider: azure.ai.openai has a discount by spec.discounts[0].provider already; keep one of them"
    }
    assert said(("a", spec({"model": "m", "effectiveFrom": "2026-02-30T00:00:00Z"})))["a"].startswith("spec.prices[0].effectiveFrom: ")
