"""The CRDs say everything the dataclasses say: descriptions, limits, rules; and no default that would hide a fleet's."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from llmobs.api.kinds import FLEET, KINDS, POLICY, PRICES
from llmobs.kit.crd import Kind, definition, schema


def walk(shape: dict[str, Any], path: str) -> Iterator[tuple[str, dict[str, Any]]]:
    yield path, shape
    for name, child in shape.get("properties", {}).items():
        yield from walk(child, f"{path}.{name}")
    if "items" in shape:
        yield from walk(shape["items"], f"{path}[]")


def body(kind: Kind) -> dict[str, Any]:
    made = definition(kind, group="llmobs.dev", version="v1alpha1")
    found: dict[str, Any] = made["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    return found


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.kind)
def test_every_field_is_described(kind: Kind) -> None:
    bare = [
        path
        for path, shape in walk(body(kind), "")
        if not path.endswith("[]") and path not in ("", ".apiVersion", ".kind", ".metadata") and not shape.get("description")
    ]

    assert bare == []


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.kind)
def test_schemas_are_structural_and_closed(kind: Kind) -> None:
    for path, shape in walk(body(kind), ""):
        assert "type" in shape, path
        assert "x-kubernetes-preserve-unknown-fields" not in shape, path


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.kind)
def test_list_keys_are_required_or_defaulted(kind: Kind) -> None:
    for path, shape in walk(body(kind), ""):
        for key in shape.get("x-kubernetes-list-map-keys", []):
            item = shape["items"]
            assert key in item.get("required", []) or "default" in item["properties"][key], f"{path} {key}"


def test_no_default_hides_a_fleets_default() -> None:
    outside_lists = [path for path, shape in walk(schema(POLICY.spec), "spec") if "default" in shape and "[]" not in path]

    assert outside_lists == []


def test_the_fleets_defaults_take_every_field_of_a_policy() -> None:
    assert schema(FLEET.spec)["properties"]["defaults"]["properties"] == schema(POLICY.spec)["properties"]


def test_what_kubectl_shows() -> None:
    made = definition(POLICY, group="llmobs.dev", version="v1alpha1")
    columns = made["spec"]["versions"][0]["additionalPrinterColumns"]

    assert [c["name"].upper() for c in columns if "priority" not in c] == ["READY", "INJECTED", "SPEND", "BUDGET", "STATE", "AGE"]
    assert made["spec"]["names"]["shortNames"] == ["llmobs"]


def test_rules_carry_their_message_and_field() -> None:
    rules = schema(PRICES.spec)["properties"]["aliases"]["items"]["x-kubernetes-validations"]

    assert rules == [{"rule": "self.from != self.to", "message": "an alias must lead to another name", "fieldPath": ".to"}]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.kind)
def test_no_enum_word_is_a_yaml_boolean(kind: Kind) -> None:
    words = {word for _, shape in walk(body(kind), "") for word in shape.get("enum", [])}

    assert words & {"On", "Off", "Yes", "No", "True", "False", "y", "n"} == set()
