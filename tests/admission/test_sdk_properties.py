"""What holds for any container whose application brings its own OpenTelemetry SDK, read as the kubelet and an SDK would."""

from __future__ import annotations

import json
import re
from typing import Any

import jsonpatch
from hypothesis import event, given, settings
from hypothesis import strategies as st
from llmobs.api.effective import policy
from llmobs.inject.compiled import Platform, compiled
from llmobs.inject.decide import decide
from llmobs.inject.patch import encoded
from llmobs.inject.pod import decode
from llmobs.inject.reasons import Reason
from llmobs.inject.select import namespace

ENDPOINT, PROTOCOL = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL"
METERED = {f"OTEL_EXPORTER_OTLP_METRICS_{name}" for name in ("ENDPOINT", "PROTOCOL", "TEMPORALITY_PREFERENCE")}
GENERAL = {"OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_PROTOCOL"}
ATTRIBUTES = "OTEL_RESOURCE_ATTRIBUTES"
OURS = {"service.namespace": "team-a", "k8s.pod.name": "<metadata.name>", "k8s.container.name": "app"}

_names = st.sampled_from([ENDPOINT, PROTOCOL, *sorted(GENERAL | METERED), ATTRIBUTES, "PYTHONPATH", "A", "B", "LLMOBS_NODE_NAME"])
_values = st.sampled_from(["", "x", "service.namespace=mine", "k8s.pod.name=$(A),team=$(B)", "a=$$(A),b=1", "service.name=s", "$(A)"])
_literal = st.fixed_dictionaries({"name": _names}, optional={"value": _values})
_reference = st.fixed_dictionaries({"name": _names, "valueFrom": st.just({"configMapKeyRef": {"name": "c", "key": "k"}})})
_environments = st.lists(_literal | _reference, max_size=6, unique_by=lambda item: item["name"])
_languages = st.sampled_from([["sdk"], ["python", "sdk"], ["sdk", "python"]])


def effective(env: list[dict[str, Any]]) -> dict[str, str]:
    """The environment of the process: variables in order, a reference resolved by what stands before it, else kept as it is."""
    made: dict[str, str] = {}

    def resolved(match: re.Match[str]) -> str:
        return match[0][1:] if match[0].startswith("$$") else made.get(match[1], match[0])

    for item in env:
        if "valueFrom" in item:
            source = item["valueFrom"]
            made[item["name"]] = f"<{source['fieldRef']['fieldPath']}>" if "fieldRef" in source else "team=from-the-map"
        else:
            made[item["name"]] = re.sub(r"\$?\$\(([^)]*)\)", resolved, item.get("value") or "")
    return made


def attributes(value: str) -> dict[str, str]:
    """As an SDK reads them: of two entries for a key the last one counts."""
    return {key: text for key, _, text in (entry.partition("=") for entry in value.split(",")) if key}


@settings(max_examples=400, deadline=None)
@given(env=_environments, languages=_languages, source=st.sampled_from(["Traces", "Metrics"]))
def test_the_users_variables_win_and_ours_resolve(env: list[dict[str, Any]], languages: list[str], source: str) -> None:
    pod = {"metadata": {"name": "api"}, "spec": {"containers": [{"name": "app", "image": "app", "env": env}]}}
    body = {
        "metadata": {"name": "p", "namespace": "team-a"},
        "spec": {"injection": {"languages": languages}, "collector": {"source": source}},
    }
    where = namespace("team-a", {}, [compiled(policy(body, [], {}), Platform())])

    decision = decide(decode(json.dumps(pod).encode()), where)
    after = jsonpatch.apply_patch(pod, json.loads(encoded(decision.operations)))
    again = decide(decode(json.dumps(after).encode()), where)

    assert (decision.reason, again.reason, again.operations) == (Reason.INJECTED, Reason.ALREADY_INJECTED, ())
    names = [item["name"] for item in after["spec"]["containers"][0]["env"]]
    assert len(names) == len(set(names))
    was, now = effective(env), effective(after["spec"]["containers"][0]["env"])
    extended = {ATTRIBUTES, "PYTHONPATH"} if "python" in languages else {ATTRIBUTES}
    assert {name: now[name] for name in was if name not in extended} == {name: was[name] for name in was if name not in extended}
    own = attributes(was.get(ATTRIBUTES, ""))
    found = attributes(now[ATTRIBUTES])
    event("own attributes" if own else "no attributes")
    assert {key: found[key] for key in own} == own
    assert {key: found[key] for key in OURS} == {**OURS, **{key: own[key] for key in OURS if key in own}}
    assert "$(LLMOBS_" not in now[ATTRIBUTES]
    added = {ENDPOINT, PROTOCOL, *GENERAL} & (set(now) - set(was))
    assert added == (set() if {ENDPOINT, PROTOCOL, *GENERAL} & set(was) else {ENDPOINT, PROTOCOL})
    elsewhere = {*GENERAL, *METERED - {"OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE"}} & set(was)
    assert METERED & (set(now) - set(was)) == (METERED - set(was) if source == "Metrics" and not elsewhere else set())
