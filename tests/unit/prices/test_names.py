"""Names of models: which forms of a name may be listed, and which name is canonical."""

import pytest
from llmobs.prices.names import form_of, forms, stem, undated

STEMS = {
    "gpt-4o": "gpt-4o",
    "GPT-4o": "gpt-4o",
    "gpt-4o-2024-08-06": "gpt-4o",
    "openai/gpt-4o": "gpt-4o",
    "openrouter/openai/gpt-4o": "gpt-4o",
    "models/gemini-2.5-pro": "gemini-2.5-pro",
    "publishers/google/models/gemini-2.0-flash-001": "gemini-2.0-flash",
    "claude-sonnet-4-20250514": "claude-sonnet-4",
    "claude-sonnet-4@20250514": "claude-sonnet-4",
    "claude-3-5-haiku-latest": "claude-3-5-haiku",
    "us.anthropic.claude-sonnet-4-20250514-v1:0": "claude-sonnet-4",
    "arn:aws:bedrock:us-east-1:1:inference-profile/us.anthropic.claude-sonnet-4-20250514-v1:0": "claude-sonnet-4",
    "command-r-08-2024": "command-r",
    "ft:gpt-4o-2024-08-06:acme::x": "ft:gpt-4o",
    "gpt-5.5": "gpt-5.5",
    "gpt-4-0613": "gpt-4-0613",
    "text-embedding-ada-002": "text-embedding-ada-002",
    "llama3:70b": "llama3:70b",
    "us": "us",
    "": "",
}


@pytest.mark.parametrize("name", STEMS)
def test_the_stem_is_without_place_date_and_version(name: str) -> None:
    assert stem(name) == STEMS[name]


def test_a_date_is_kept_apart_from_place_and_version() -> None:
    assert undated("us.anthropic.claude-sonnet-4-20250514-v1:0") == "claude-sonnet-4-20250514"


@pytest.mark.parametrize("name", STEMS)
def test_a_listed_name_is_found_by_the_form_it_has(name: str) -> None:
    listed = name.lower()

    assert forms(listed)[form_of(listed)] == listed
