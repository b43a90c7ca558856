"""No value of the chart is documented and ignored: each changes what helm renders, and each setting changes what the operator makes.

Every leaf of values.yaml must stand in one of the tables below, so a new value fails here until it is honoured.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from llmobs.api import effective
from llmobs.api.settings import Settings
from llmobs.inject.compiled import Platform, compiled
from llmobs.inject.native.manifests import manifests
from llmobs.inject.select import Namespace
from llmobs.kit.decode import camel, decode
from llmobs.plan.build import fleet_parts, policy_parts
from llmobs.plan.inputs import Facts, Inputs
from llmobs.prices.table import PriceTable

from tests.chart.helm import CHART, NAMESPACE, run

ON = {
    "webhook.certManager.enabled": True,
    "networkPolicy.enabled": True,
    "monitoring.podMonitor.enabled": True,
    "monitoring.prometheusRule.enabled": True,
}
"""What others need to be seen."""

FIGURES = {"requests": {"cpu": "73m"}, "limits": {"memory": "733Mi"}}

SEEN: Mapping[str, Any] = {
    "clusterName": "marked-cluster",
    "watch.namespaces": ["marked-watched"],
    "images.collector": "example.com/marked-collector:0.160.0",
    "images.collectorVersion": "0.161.0",
    "images.python": "example.com/marked-python:1",
    "images.registry": "mirror.example.com/marked",
    "images.pullSecrets": ["marked-secret"],
    "gateway.replicas": 37,
    "gateway.maxReplicas": 83,
    "gateway.targetUtilization": 691,
    "gateway.cpu": "211m",
    "gateway.memory": "541Mi",
    "gateway.queueOnDisk": "17Gi",
    "gateway.queueStorageClass": "marked-class",
    "gateway.scrapeInterval": "19s",
    "gateway.podMonitorLabels": {"marked": "gateway-monitor"},
    "dedicated.replicas": 41,
    "dedicated.cpu": "53m",
    "dedicated.memory": "257Mi",
    "sidecar.cpu": "23m",
    "sidecar.memory": "131Mi",
    "rules.labels": {"marked": "marked-rules"},
    "rules.runbookURL": "https://marked.example.com/runbooks",
    "rules.dashboardURL": "https://marked.example.com/grafana",
    "grafana.label": "marked_dashboard",
    "grafana.value": "marked-value",
    "grafana.folder": "Marked",
    "prometheus.url": "http://marked.example.com:9090",
    "resync": "47s",
    "image.repository": "example.com/marked-operator",
    "image.tag": "marked-tag",
    "imagePullSecrets": [{"name": "marked-own-secret"}],
    "controller.resources": FIGURES,
    "controller.priorityClassName": "marked-controller",
    "controller.podAnnotations": {"marked": "controller-annotation"},
    "controller.podLabels": {"marked": "controller-label"},
    "controller.nodeSelector": {"marked": "controller-node"},
    "controller.tolerations": [{"key": "marked-controller-taint"}],
    "controller.affinity": {"nodeAffinity": {"marked": "controller-affinity"}},
    "webhook.replicas": 13,
    "webhook.timeoutSeconds": 7,
    "webhook.excludedNamespaces": ["marked-namespace"],
    "webhook.certManager.issuerRef": {"kind": "ClusterIssuer", "name": "marked-issuer"},
    "webhook.resources": {"requests": {"cpu": "79m"}, "limits": {"memory": "739Mi"}},
    "webhook.priorityClassName": "marked-webhook",
    "webhook.podAnnotations": {"marked": "webhook-annotation"},
    "webhook.podLabels": {"marked": "webhook-label"},
    "webhook.nodeSelector": {"marked": "webhook-node"},
    "webhook.tolerations": [{"key": "marked-webhook-taint"}],
    "webhook.affinity": {"nodeAffinity": {"marked": "webhook-affinity"}},
    "monitoring.podMonitor.labels": {"marked": "own-monitor"},
    "monitoring.podMonitor.interval": "59s",
    "monitoring.prometheusRule.labels": {"marked": "own-rule"},
}
"""Values that nothing else has: set together, each must be found."""

TURNED: Mapping[str, Any] = {
    **dict.fromkeys(("sidecar.native", "crds.install", "controller.restartsWorkloads", "controller.guarded", "webhook.enabled"), False),
    **dict.fromkeys(("dedicated.enabled", "sidecar.countsAgainstQuota", "crds.keep"), True),
    **dict.fromkeys(ON, False),
    "images.pullPolicy": "Never",
    "image.pullPolicy": "Never",
    "rules.tile": "1m",
    "admission.by": "AdmissionPolicy",
}
"""Values of which there are only a few: set one by one, each must change something."""

OTHERWISE = {"prometheus.url", "resync", "admission.by"}
"""Settings that decide what the controller reads and whether it writes, which no plan shows: the controller of tests/cluster runs with
other ones."""

DERIVED = {"admission.excludedNamespaces": "webhook.excludedNamespaces"}
"""Settings that the chart fills from another value."""

ANYTHING = ("resources", "affinity", "labels", "Labels", "nodeSelector", "podAnnotations", "issuerRef")
"""Last words of values that are objects of Kubernetes, or maps."""


def leaves(values: Mapping[str, Any], path: str = "") -> Iterator[str]:
    for name, child in values.items():
        here = f"{path}.{name}" if path else name
        if isinstance(child, dict) and not name.endswith(ANYTHING):
            yield from leaves(child, here)
        else:
            yield here


def nested(flat: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for path, value in flat.items():
        *parents, last = path.split(".")
        place = found
        for name in parents:
            place = place.setdefault(name, {})
        place[last] = value
    return found


@pytest.fixture(scope="module")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder: Path = tmp_path_factory.mktemp("values")

    @cache
    def text(flat: str) -> str:
        path = folder / "values.yaml"
        path.write_text(flat, encoding="utf-8")
        done = run("template", "llmobs", str(CHART), "--namespace", NAMESPACE, "-f", str(path))
        assert done.returncode == 0, done.stderr
        return done.stdout

    return lambda flat: text(json.dumps(nested(flat)))


def values() -> dict[str, Any]:
    return dict(yaml.safe_load((CHART / "values.yaml").read_text(encoding="utf-8")))


def test_every_value_has_its_test() -> None:
    assert set(leaves(values())) == set(SEEN) | set(TURNED)
    assert not set(SEEN) & set(TURNED)


def test_each_value_arrives(rendered: Any) -> None:
    without, made = rendered(ON), rendered({**ON, **SEEN})

    def marks(value: Any) -> list[str]:
        if isinstance(value, dict):
            return [item for inner in value.values() for item in marks(inner)]
        if isinstance(value, list):
            return [item for inner in value for item in marks(inner)]
        return [f": {value}\n" if isinstance(value, int) else str(value)]

    # the registry stands in the place of the one in an image's name
    every = {path: marks(value.replace("example.com/", "") if path == "image.repository" else value) for path, value in SEEN.items()}
    assert [path for path, found in every.items() if any(item not in made for item in found)] == []
    unmarked = [path for path, found in every.items() if path != "webhook.certManager.issuerRef" and all(item in without for item in found)]
    assert unmarked == [], "not told from what is there by default"


@pytest.mark.parametrize("name", TURNED)
def test_a_turned_value_changes_what_is_rendered(rendered: Any, name: str) -> None:
    assert rendered({**ON, name: TURNED[name]}) != rendered(ON)


def test_the_schema_names_every_value_and_refuses_any_other() -> None:
    def compare(shape: Mapping[str, Any], given: Mapping[str, Any], path: str) -> None:
        assert shape["properties"].keys() - {"global"} == given.keys(), path  # Helm hands that one to every chart
        assert shape["additionalProperties"] is False, path
        for name, child in given.items():
            if isinstance(child, dict) and not name.endswith(ANYTHING):
                compare(shape["properties"][name], child, f"{path}.{name}")

    compare(json.loads((CHART / "values.schema.json").read_text(encoding="utf-8")), values(), "")


@cache
def planned(flat: str) -> str:
    """Everything that the operator makes by these settings: of a policy of each mode, and in a pod of it."""
    settings = decode(Settings, nested(json.loads(flat)))
    modes = {"Shared": "a", "Dedicated": "b", "Sidecar": "c"}
    specs = {
        name: {"collector": {"mode": mode}, "backends": [{"name": "t", "otlp": OTLP}], "budgets": [BUDGET]} for mode, name in modes.items()
    }
    made = [effective.policy({"metadata": {"name": name, "namespace": "team"}, "spec": spec}, [], {}) for name, spec in specs.items()]
    inputs = Inputs(settings=settings, facts=Facts(version=(1, 36)), prices=PriceTable(), policies=tuple(made))
    parts = [*fleet_parts(inputs), *(part for policy in made for part in policy_parts(inputs, policy))]
    platform = Platform(settings=settings)
    pods = [compiled(policy, platform) for policy in made]
    return repr([[(part.manifests, part.finding) for part in parts], pods, list(manifests(_places(platform), platform))])


def _places(platform: Platform) -> list[Namespace]:
    """A namespace whose pods an API server could instrument by itself."""
    (name,) = SEEN["webhook.excludedNamespaces"]
    spec = {"injection": {"delivery": "ImageVolume"}}
    policy = effective.policy({"metadata": {"name": "native", "namespace": name}, "spec": spec}, [], {})
    return [Namespace(name, policies=(compiled(policy, platform),))]


OTLP = {"endpoint": "https://otlp.example.com"}
BUDGET = {"name": "b", "period": "Month", "limitUSD": 10}
OFFERED = {"dedicated.enabled": True, "gateway.maxReplicas": 100}
NEEDED: Mapping[str, Any] = {"gateway.queueStorageClass": {"gateway.queueOnDisk": "1Gi", "gateway.maxReplicas": 0}}


def settings_of(shape: Any, path: str = "") -> Iterator[str]:
    for item in fields(shape):
        here = f"{path}.{camel(item.name)}" if path else camel(item.name)
        inner = getattr(shape, item.name)
        yield from settings_of(inner, here) if is_dataclass(inner) else [here]


@pytest.mark.parametrize("name", sorted(set(settings_of(Settings())) - OTHERWISE))
def test_a_setting_changes_what_the_operator_makes(name: str) -> None:
    changed = {**SEEN, **TURNED}[DERIVED.get(name, name)]
    if name == "dedicated.enabled":
        changed = False

    base = {**OFFERED, **NEEDED.get(name, {})}
    assert planned(json.dumps({**base, name: changed})) != planned(json.dumps(base))
