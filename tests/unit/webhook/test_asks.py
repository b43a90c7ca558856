"""What admission reads of a namespace's annotations."""

from __future__ import annotations

from typing import Any

from llmobs.webhook.store import NAMESPACE, Store


def test_what_a_namespace_asks_other_agents_for(store: Store) -> None:
    python = "instrumentation.opentelemetry.io/inject-python"
    asked: dict[str, Any] = {"metadata": {"name": "team-a", "labels": {"stage": "prod"}}}
    store.put(NAMESPACE, asked)
    before = store.namespace("team-a")
    asked["metadata"]["annotations"] = {"kubectl.kubernetes.io/last-applied-configuration": "{}"}
    store.put(NAMESPACE, asked)
    assert store.namespace("team-a") is before, "other annotations change nothing"

    agent = {python: "opentelemetry-operator"}
    for word, asks in {"ns/name": agent, "False": {}, "true": agent, "": {}}.items():
        store.put(NAMESPACE, {"metadata": {**asked["metadata"], "annotations": {python: word}}})
        assert store.namespace("team-a").asks == asks, word
