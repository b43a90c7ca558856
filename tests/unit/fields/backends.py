"""The fields of every backend, generated: each from the backend's example with that one field changed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from llmobs.catalogue.backends import backends, configs
from llmobs.kit.crd import schema

from tests.unit.fields.effects import Case

PUBLIC = "http://receiver.example.com"
INSTEAD = {"endpoint": ("region", "environment"), "projectId": ("project",), "region": ("endpoint",)}
"""What has to go when a field is set."""
OTHERS: dict[str, Any] = {
    "endpoint": "https://other.example.com",
    "url": "https://other.example.com/api/v1/write",
    "instanceId": "42",
    "headers": {"x-other": "1"},
    "externalLabels": {"region": "us"},
}


def leaves(name: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The fields of a backend with their schemas."""
    for key, child in schema(configs()[name])["properties"].items():
        if "properties" in child:
            yield from ((f"{key}.{inner}", item) for inner, item in child["properties"].items())
        else:
            yield key, child


def change(name: str, path: str, shape: Mapping[str, Any], example: Mapping[str, Any]) -> Case:
    """The backend's configuration without and with one field changed."""
    if path == "insecure":
        field, address = ("url", f"{PUBLIC}/api/v1/push") if "url" in example else ("endpoint", PUBLIC)
        bare = {key: value for key, value in example.items() if key not in INSTEAD["endpoint"]}
        return {**bare, field: address}, {**bare, field: address, "insecure": True}
    head, _, inner = path.partition(".")
    kept = {key: value for key, value in example.items() if key not in INSTEAD.get(head, ())}
    if inner:
        return example, {**kept, head: {"name": "s", **example.get(head, {}), inner: "changed"}}
    taken = [word for word in shape.get("enum", ()) if word != example.get(head)]
    return example, {**kept, head: taken[-1] if taken else OTHERS.get(head, "changed")}


def destinations(base: Mapping[str, Any]) -> dict[str, Case]:
    """The cases of a destination of the fleet."""
    found = {}
    for name, module in backends().items():
        for path, shape in leaves(name):
            case = change(name, path, shape, module.EXAMPLE)
            before, after = ({**base, "destinations": [{"name": "vault", name: config}]} for config in case)
            found[f"destinations[].{name}.{path}"] = (before, after)
    return found


def own() -> dict[str, Case]:
    """The cases of a namespace's own receiver, with a Secret of the namespace."""
    found = {}
    for name, module in backends().items():
        for path, shape in leaves(name):
            case = change(name, path, shape, module.EXAMPLE)
            before, after = ({"collector": {"mode": "Dedicated"}, "backends": [{"name": "t", name: config}]} for config in case)
            found[f"backends[].{name}.{path}"] = (before, after)
    return found
