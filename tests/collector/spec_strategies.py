"""Any valid resource, drawn from the schemas of the custom resources themselves: a field that is added is drawn too."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from hypothesis import strategies as st
from llmobs.api.v1alpha1.observability import LLMObservabilitySpec
from llmobs.catalogue.backends import backends, configs
from llmobs.kit.crd import schema
from llmobs.kit.decode import decode
from llmobs.kit.errors import Invalid

Schema = Mapping[str, Any]
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
DURATIONS = st.integers(10, 3_600_000).map(lambda ms: f"{ms}ms")
NAMES = ("one", "two", "three")
ONE_OF = ("backends", "objectives")
"""Lists whose items have a name and exactly one of their other fields."""
SECRETS = "credentialsSecretRef"
"""A namespace may not give one to the shared gateway."""


def values(shape: Schema, name: str = "", *, secrets: bool = False) -> st.SearchStrategy[Any]:
    """Whatever fits a structural schema; rules between fields are for :func:`valid` to keep."""
    if name == "destination":
        return st.sampled_from(NAMES)
    if "enum" in shape:
        return st.sampled_from(shape["enum"])
    kinds: dict[str, Callable[[], st.SearchStrategy[Any]]] = {
        "string": lambda: _string(shape),
        "integer": lambda: st.integers(shape.get("minimum", 0), shape.get("maximum", 1000)),
        "number": lambda: _number(shape),
        "boolean": st.booleans,
        "array": lambda: _array(shape, name),
        "object": lambda: _object(shape, secrets=secrets),
    }
    return kinds[shape["type"]]()


def _string(shape: Schema) -> st.SearchStrategy[str]:
    pattern, longest = shape.get("pattern"), shape.get("maxLength", 60)
    if pattern is None:
        return TEXT.filter(lambda text: len(text) >= shape.get("minLength", 0))
    if pattern.endswith("([0-9]+ms)?$"):
        return DURATIONS
    whole = re.compile(pattern.removeprefix("^").removesuffix("$"), re.ASCII)
    return st.from_regex(whole, fullmatch=True).filter(lambda text: len(text) <= longest)


def _number(shape: Schema) -> st.SearchStrategy[float]:
    low, high = shape.get("minimum", 0), shape.get("maximum", 1e6)
    return st.floats(low, high, exclude_min=bool(shape.get("exclusiveMinimum")), allow_subnormal=False)


def _array(shape: Schema, name: str) -> st.SearchStrategy[list[Any]]:
    item = _either(shape["items"]) if name in ONE_OF else values(shape["items"])
    keys = shape.get("x-kubernetes-list-map-keys")
    unique = (lambda found: tuple(str(found.get(key)) for key in keys)) if keys else repr
    return st.lists(item, min_size=shape.get("minItems", 0), max_size=min(4, shape.get("maxItems", 4)), unique_by=unique)


def _either(shape: Schema) -> st.SearchStrategy[dict[str, Any]]:
    rest = {key: child for key, child in shape["properties"].items() if key != "name"}
    one = st.one_of([st.fixed_dictionaries({key: values(child, key).map(_taken(key))}) for key, child in rest.items()])
    return st.builds(lambda name, found: {"name": name, **found}, values(shape["properties"]["name"]), one)


def _taken(name: str) -> Callable[[Any], Any]:
    """A product whose rules between fields hardly any draw keeps is its example, without what stands in a Secret."""

    def taken(found: Any) -> Any:
        if name not in configs():
            return found
        try:
            decode(configs()[name], found, "spec")
        except Invalid:
            return {key: value for key, value in backends()[name].EXAMPLE.items() if key not in (SECRETS, "username")}
        return found

    return taken


def _object(shape: Schema, *, secrets: bool) -> st.SearchStrategy[dict[str, Any]]:
    if "properties" not in shape:
        return st.dictionaries(TEXT.filter(bool), values(shape.get("additionalProperties", {"type": "string"})), max_size=4)
    children = {key: values(child, key) for key, child in shape["properties"].items() if secrets or key != SECRETS}
    needed = {key: children.pop(key) for key in shape.get("required", ()) if key in children}
    return st.fixed_dictionaries(needed, optional=children)


def valid(cls: type, found: dict[str, Any]) -> dict[str, Any]:
    """What is left when everything is taken out that the API would refuse."""
    while True:
        try:
            decode(cls, found, "spec")
        except Invalid as wrong:
            _cut(found, wrong.path)
        else:
            return found


def _cut(found: dict[str, Any], path: str) -> None:
    """Take out the item of a list, or the field of the spec, that a refusal names."""
    [(field, index)] = re.findall(r"^spec\.(\w+)(?:\[(\d+)\])?", path)
    if index and isinstance(found[field], list):
        del found[field][int(index)]
    else:
        del found[field]


def _config(name: str, found: Mapping[str, Any]) -> dict[str, Any]:
    """The drawn configuration of a product, or its example where the drawn one would be refused."""
    try:
        decode(configs()[name], found, "spec")
    except Invalid:
        return {name: backends()[name].EXAMPLE}
    return {name: found}


def _product(name: str) -> st.SearchStrategy[dict[str, Any]]:
    return st.builds(_config, st.just(name), values(schema(configs()[name]), secrets=True))


PRODUCTS = st.one_of([_product(name) for name in sorted(configs())])
DESTINATIONS = st.lists(PRODUCTS, min_size=len(NAMES), max_size=len(NAMES)).map(
    lambda found: [{"name": name, **config} for name, config in zip(NAMES, found, strict=True)]
)
"""What the platform offers: a product under each of the names."""
_ANY = values(schema(LLMObservabilitySpec))
_BACKENDS = values(schema(LLMObservabilitySpec)["properties"]["backends"], "backends")


def _spec(found: dict[str, Any], to: list[dict[str, Any]]) -> dict[str, Any]:
    """A receiver of series of one's own is only for a gateway of one's own."""
    alone = {"collector": {"mode": "Dedicated"}} if any("prometheusremotewrite" in item for item in to) else {}
    return valid(LLMObservabilitySpec, {**found, "backends": to, **alone})


SPECS = st.builds(_spec, _ANY, _BACKENDS)
