"""Every backend: what it takes, what it refuses, and that its file is all it needs."""

from __future__ import annotations

import importlib
import sys
from dataclasses import MISSING
from pathlib import Path
from typing import Any

import pytest
from llmobs.api.v1alpha1.fleet import Destination
from llmobs.catalogue import backends as package
from llmobs.catalogue.backends import backends, configs, secretive
from llmobs.kit import discovery
from llmobs.kit.decode import decode
from llmobs.kit.errors import Invalid
from llmobs.plan.collector.sinks import Sink

EXAMPLES = {name: module.EXAMPLE for name, module in backends().items()}


def refusal(name: str, config: dict[str, Any]) -> Invalid:
    with pytest.raises(Invalid) as raised:
        decode(configs()[name], config, name)
    return raised.value


def own(name: str, endpoint: str) -> dict[str, Any]:
    """The example, at another place."""
    return {key: value for key, value in EXAMPLES[name].items() if key not in ("region", "environment")} | {"endpoint": endpoint}


def addressed() -> list[str]:
    return [name for name, config in configs().items() if "endpoint" in config.__dataclass_fields__]


@pytest.mark.parametrize("name", addressed())
def test_an_address_with_the_signals_path_is_refused(name: str) -> None:
    assert "/v1/traces is appended to it" in str(refusal(name, own(name, "https://x.example.com/v1/traces")))


def _required(name: str) -> bool:
    return configs()[name].__dataclass_fields__["credentials_secret_ref"].default is MISSING


NO_ADDRESSES = (
    *("https://", "https://:4318", "https://u:p@x.example.com", "https://x.example.com?a=b", "https://x.example.com:port", "ftp://x"),
    *("x:4318", "https://x.example.com/v1/traces/", "https://x.example.com/v1/logs/x", "https://x y", "https://-x", "https://x#a"),
)


@pytest.mark.parametrize("endpoint", NO_ADDRESSES)
def test_an_address_that_is_none_is_refused(endpoint: str) -> None:
    assert refusal("otlp", {"endpoint": endpoint}).path == "otlp.endpoint"


@pytest.mark.parametrize(
    "endpoint", ["https://10.0.0.1:4318", "https://[fd00::1]:4318/otlp", "http://my_receiver:4318/", "https://X.example"]
)
def test_an_address_of_any_form_is_taken(endpoint: str) -> None:
    decode(configs()["otlp"], {"endpoint": endpoint})


@pytest.mark.parametrize("name", addressed())
def test_clear_text_to_the_outside_is_refused_unless_asked_for(name: str) -> None:
    assert refusal(name, own(name, "http://x.example.com")).path == f"{name}.endpoint"
    decode(configs()[name], own(name, "http://x.example.com") | {"insecure": True})
    decode(configs()[name], own(name, "http://receiver.tracing.svc:4318"))


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_unknown_field_is_refused(name: str) -> None:
    assert refusal(name, {**EXAMPLES[name], "tokn": "x"}).path == f"{name}.tokn"


@pytest.mark.parametrize("name", [name for name in secretive() if _required(name)])
def test_a_product_with_credentials_asks_for_the_secret(name: str) -> None:
    bare = {key: value for key, value in EXAMPLES[name].items() if key != "credentialsSecretRef"}

    assert refusal(name, bare).path == f"{name}.credentialsSecretRef"


@pytest.mark.parametrize(
    ("name", "config", "said"),
    [
        ("langfuse", {"region": "US", "endpoint": "https://langfuse.example.com"}, "set one of them"),
        ("langfuse", {"region": "Moon"}, "EU"),
        ("braintrust", {"projectId": "1"}, "set project or projectId"),
        ("dynatrace", {"endpoint": "https://managed.example.com/e/1/api/v2/otlp"}, "set environment for SaaS or endpoint"),
        ("signoz", {"endpoint": "https://signoz.example.com"}, "set region"),
        ("signoz", {"credentialsSecretRef": None}, "ingestion key"),
        ("grafanacloud", {"zone": "evil.example.com/"}, "zone"),
        ("datadog", {"site": "US2"}, "US1"),
    ],
)
def test_contradictions_are_refused_with_advice(name: str, config: dict[str, Any], said: str) -> None:
    assert said in str(refusal(name, {**EXAMPLES[name], **config}))


def test_a_new_file_is_enough(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = Path(str(package.__file__)).with_name("jaeger.py").read_text().replace('"jaeger"', '"newcomer"')
    (tmp_path / "newcomer.py").write_text(source)
    monkeypatch.setattr(package, "__path__", [*package.__path__, str(tmp_path)])
    for cached in (discovery.modules, package.backends, package.configs):
        cached.cache_clear()
    try:
        config = configs()["newcomer"](endpoint="http://new.svc:4318")  # type: ignore[call-arg]
        assert Sink("n", config).exporter.settings == {"endpoint": "http://new.svc:4318"}
    finally:
        monkeypatch.undo()
        sys.modules.pop(f"{package.__name__}.newcomer", None)
        for cached in (discovery.modules, package.backends, package.configs):
            cached.cache_clear()
        importlib.invalidate_caches()


@pytest.mark.parametrize("name", EXAMPLES)
def test_no_credential_stands_in_the_configuration(name: str) -> None:
    config = decode(Destination, {"name": "d", name: EXAMPLES[name]}).config
    sink = Sink("d", config)

    assert sink.secret is None or (
        sink.exporter.auth is not None and f"{sink.folder}/{sink.secret.key}" in str(sink.exporter.auth.settings)
    )
