"""Policies from files and from a cluster's watches."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from llmobs.cluster import facts
from llmobs.inject.compiled import Platform
from llmobs.inject.select import NEWEST
from llmobs.kit.errors import Invalid
from llmobs.webhook import watched
from llmobs.webhook.files import FileSource
from llmobs.webhook.store import Store

from tests.unit.webhook.service import policy

POLICY = "apiVersion: llmobs.dev/v1alpha1\nkind: LLMObservability\nmetadata: {name: checkout, namespace: team-a}\n"
NAMESPACE = "apiVersion: v1\nkind: Namespace\nmetadata: {name: team-a, labels: {stage: prod}}\n"
OTHERS = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: api}\n---\napiVersion: example.com/v1\nkind: LLMObservability\n"


def test_a_folder_is_loaded_and_makes_the_store_ready(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(POLICY + "---\n" + NAMESPACE)
    (tmp_path / "b.yaml").write_text(OTHERS)
    store = Store(Platform())

    FileSource(tmp_path).load(store)

    assert store.synced
    assert store.namespace("team-a").labels["stage"] == "prod"
    assert [item.key for item in store.namespace("team-a").policies] == ["team-a/checkout"]


def test_a_policy_that_breaks_a_rule_does_not_keep_the_others_away(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(POLICY + "---\n" + POLICY.replace("checkout", "bad") + "spec: {nonsense: 1}\n")
    store = Store(Platform())

    FileSource(tmp_path).load(store)

    assert [item.key for item in store.namespace("team-a").policies] == ["team-a/checkout"]
    assert [str(where) for where in store.problems] == ["LLMObservability team-a/bad"]


@pytest.mark.parametrize("text", ["a: [", POLICY.replace("name: checkout, ", "")])
def test_files_that_are_no_policies_are_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.yaml").write_text(text)

    with pytest.raises(Invalid, match=r"is not YAML|metadata\.name"):
        FileSource(tmp_path).load(Store(Platform()))


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="nowhere: cannot be read: No such file"):
        FileSource(tmp_path / "nowhere").load(Store(Platform()))


def test_watch_events_reach_the_store(store: Store) -> None:
    other = {"kind": "LLMObservability", **policy("other")}

    watched.changed(store, "LLMObservability", "ADDED", other)
    assert len(store.namespace("team-a").policies) == 2
    watched.changed(store, "LLMObservability", "MODIFIED", {**other, "spec": {"injection": {"mode": "OptIn"}}})
    assert store.namespace("team-a").policies[1].mode.value == "OptIn"
    watched.changed(store, "LLMObservability", "DELETED", other)
    assert len(store.namespace("team-a").policies) == 1
    watched.changed(store, "Namespace", "DELETED", {"metadata": {"name": "team-a"}})
    assert "stage" not in store.namespace("team-a").labels


@pytest.mark.parametrize(
    ("answer", "want"),
    [
        ({"major": "1", "minor": "36"}, (1, 36)),
        ({"major": "1", "minor": "33+"}, (1, 33)),
        ({"major": "", "minor": ""}, None),
        ({}, None),
    ],
)
def test_version_of_an_api_server(answer: dict[str, Any], want: tuple[int, int] | None) -> None:
    assert facts.read(answer) == want
    assert Store(Platform()).namespace("x").version == NEWEST
