"""The gateway of one policy, in its namespace."""

from typing import Any

import yaml
from llmobs.api.conditions import Reason, Status
from llmobs.catalogue import metrics
from llmobs.cluster.kinds import DEDICATED_KINDS, POLICY_KINDS, resource
from llmobs.plan import collector
from llmobs.plan.measures import MOST
from llmobs.prices.table import PriceTable

from tests.collector.conftest import inputs

OFFERED = {"dedicated": {"enabled": True, "replicas": 2, "cpu": "100m", "memory": "1Gi"}}
MINE = {
    "collector": {"mode": "Dedicated"},
    "attributes": {"team": "mine"},
    "backends": [{"name": "own", "otlp": {"endpoint": "https://x.example.com", "credentialsSecretRef": {"name": "mine", "key": "k"}}}],
}
OTHER = {"attributes": {"team": "other"}, "backends": [{"name": "own", "otlp": {"endpoint": "https://other.example.com"}}]}
POLICIES = {"team-a/mine": MINE, "team-a/shared": OTHER, "team-b/other": OTHER}


def planned(settings: Any = OFFERED) -> Any:
    given = inputs(POLICIES, settings=settings, prices=PriceTable())
    return collector.policy_parts(given, next(item for item in given.policies if item.key == "team-a/mine"))


def objects() -> dict[str, dict[str, Any]]:
    [part] = planned()
    return {item["kind"]: item for item in part.manifests}


def configuration() -> tuple[str, dict[str, Any]]:
    text = objects()["ConfigMap"]["data"]["config.yaml"]
    return text, yaml.safe_load(text)


def test_everything_is_in_the_namespace_and_belongs_to_the_policy() -> None:
    for item in objects().values():
        assert item["metadata"]["namespace"] == "team-a"
        assert item["metadata"]["labels"]["llmobs.dev/owner"] == "file"
        assert item["metadata"]["name"].startswith("llmobs-gateway-mine")
        assert resource(item) in DEDICATED_KINDS


def test_it_may_read_the_pods_of_its_namespace_and_nothing_else() -> None:
    made = objects()

    assert {"ClusterRole", "ClusterRoleBinding", "HorizontalPodAutoscaler"}.isdisjoint(made)
    assert made["Role"]["rules"] == [{"apiGroups": [""], "resources": ["pods"], "verbs": ["list", "watch"]}]
    assert made["RoleBinding"]["roleRef"]["kind"] == "Role"
    assert configuration()[1]["processors"]["k8s_attributes"]["filter"] == {"namespace": "team-a"}


def test_pods_of_other_namespaces_cannot_send_to_it() -> None:
    doors = {port["port"]: rule.get("from") for rule in objects()["NetworkPolicy"]["spec"]["ingress"] for port in rule["ports"]}

    assert doors["otlp-http"] == doors["otlp-grpc"] == [{"podSelector": {}}]
    assert doors["metrics"] == [{"namespaceSelector": {}}]


def test_its_configuration_says_nothing_of_others() -> None:
    text, made = configuration()

    assert "team: mine" in text.replace('"', "").replace(":", ": ").replace(":  ", ": ")
    assert "other.example.com" not in text
    assert "team-b" not in text
    assert [name for name in made["exporters"] if name.startswith("otlp_http")] == [f"otlp_http/own_{_handle(made)}"]


def _handle(made: dict[str, Any]) -> str:
    [name] = [name for name in made["extensions"] if name.startswith("bearertokenauth/own_")]
    return name.rpartition("_")[2]


def test_its_pods_mount_the_secret_of_the_namespace_and_are_found() -> None:
    made = objects()
    template = made["Deployment"]["spec"]["template"]
    secrets = [item["secret"]["secretName"] for item in template["spec"]["volumes"] if "secret" in item]

    assert secrets == ["mine"]
    assert made["Deployment"]["spec"]["replicas"] == 2
    assert template["spec"]["containers"][0]["resources"]["limits"] == {"memory": "1Gi"}
    for kind in ("Service", "PodMonitor", "PodDisruptionBudget"):
        selector = made[kind]["spec"]["selector"]
        assert selector.get("matchLabels", selector).items() <= template["metadata"]["labels"].items()


def test_the_shared_gateway_neither_serves_it_nor_selects_its_pods() -> None:
    given = inputs(POLICIES, settings=OFFERED, prices=PriceTable())
    [part] = collector.parts(given)
    shared = {item["kind"]: item for item in part.manifests}
    text = shared["ConfigMap"]["data"]["config.yaml"]

    assert "x.example.com" not in text
    assert "team-a/mine" not in text
    assert not shared["Service"]["spec"]["selector"].items() <= objects()["Deployment"]["spec"]["template"]["metadata"]["labels"].items()


def test_where_it_is_not_offered_the_condition_says_so() -> None:
    [part] = planned({})

    assert part.manifests == ()
    assert (part.finding.status, part.finding.reason) == (Status.FALSE, Reason.NOT_AVAILABLE)
    assert "dedicated.enabled" in part.finding.message


def test_kinds_of_policies_without_a_gateway_need_no_more_rights() -> None:
    assert {item.kind for item in POLICY_KINDS} == {"ConfigMap", "PrometheusRule"}


def test_it_has_the_bound_by_which_rules_judge_a_threshold_that_had_to_be_shared() -> None:
    """The bounds that others took are the same everywhere; of them it has only those that its namespace reads."""
    crowd = [{"name": f"o{index}", "latency": {"target": 0.9, "threshold": f"{1001 + index}ms"}} for index in range(MOST)]
    asked = [{"name": "mine", "latency": {"target": 0.9, "threshold": "1s100ms"}}]
    policies = {"a/first": {"objectives": crowd[:16]}, "a/second": {"objectives": crowd[16:]}, "team-a/mine": {**MINE, "objectives": asked}}
    given = inputs(policies, settings=OFFERED, prices=PriceTable())
    [part] = collector.policy_parts(given, next(item for item in given.policies if item.key == "team-a/mine"))
    [text] = [item["data"]["config.yaml"] for item in part.manifests if item["kind"] == "ConfigMap"]
    spans = yaml.safe_load(text)["connectors"]["signal_to_metrics"]["spans"]
    [buckets] = [item["histogram"]["buckets"] for item in spans if item["name"] == "llm_call_duration"]

    assert set(buckets) == {*metrics.DURATION_BOUNDS, 1.032}
