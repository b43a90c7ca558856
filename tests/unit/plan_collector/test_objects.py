"""The objects that run the gateway."""

from typing import Any

import pytest
import yaml
from llmobs.api import names
from llmobs.api.conditions import ConditionType, Reason, Status
from llmobs.kit.errors import Invalid
from llmobs.plan import collector
from llmobs.plan.collector.deployment import heap
from llmobs.plan.inputs import Facts
from llmobs.prices.table import PriceTable, Row

from tests.collector.conftest import inputs

FLEET = {
    "destinations": [
        {"name": "used", "otlp": {"endpoint": "https://a.example.com", "credentialsSecretRef": {"name": "secret-a", "key": "apiKey"}}},
        {"name": "unused", "otlp": {"endpoint": "https://b.example.com", "credentialsSecretRef": {"name": "secret-b"}}},
    ]
}
POLICIES = {"team-a/p": {"backends": [{"name": "x", "destination": "used"}]}}
SMALL = PriceTable({"m": Row("m", 1, 2, 1, 1, 2)})


def objects(*args: Any, **given: Any) -> dict[str, dict[str, Any]]:
    [part] = collector.parts(inputs(*args, **{"prices": SMALL, **given}))
    assert part.condition is ConditionType.COLLECTOR_READY
    assert part.finding is None
    return {item["kind"]: item for item in part.manifests}


def pod(*args: Any, **given: Any) -> dict[str, Any]:
    return objects(*args, **given)["Deployment"]["spec"]["template"]["spec"]


def test_every_object_is_ours_and_in_our_namespace() -> None:
    made = objects(facts=Facts(namespace="ops"))

    assert set(made) == {
        *("ServiceAccount", "ConfigMap", "NetworkPolicy"),
        *("Service", "PodDisruptionBudget", "Deployment", "PodMonitor"),
    }
    for item in made.values():
        assert item["metadata"]["labels"] == names.labels("fleet", "gateway")
        assert item["metadata"]["namespace"] == "ops"
        assert item["metadata"]["name"].startswith("llmobs-gateway")


def test_a_configmap_is_immutable_and_named_by_its_content() -> None:
    before, same, after = objects(), objects(), objects(settings={"clusterName": "east"})

    assert before["ConfigMap"] == same["ConfigMap"]
    assert before["ConfigMap"]["metadata"]["name"] != after["ConfigMap"]["metadata"]["name"]
    for made in (before, after):
        assert made["ConfigMap"]["immutable"] is True
        volumes = made["Deployment"]["spec"]["template"]["spec"]["volumes"]
        assert volumes[0]["configMap"]["name"] == made["ConfigMap"]["metadata"]["name"]


@pytest.mark.parametrize("known", [False, None])
def test_without_prometheus_operator_there_is_no_podmonitor(known: bool | None) -> None:
    made = objects(facts=Facts(prometheus_operator=known))

    assert set(objects()) - set(made) == {"PodMonitor"}


def test_the_podmonitor_carries_the_platforms_labels_and_interval() -> None:
    made = objects(settings={"gateway": {"podMonitorLabels": {"release": "prometheus"}, "scrapeInterval": "15s"}})["PodMonitor"]

    assert made["metadata"]["labels"]["release"] == "prometheus"
    assert [(item["port"], item["interval"]) for item in made["spec"]["podMetricsEndpoints"]] == [
        ("metrics", "15s"),
        ("self-metrics", "15s"),
    ]


def test_a_new_configuration_is_checked_before_it_serves() -> None:
    made = objects()["Deployment"]["spec"]
    [check], [main] = made["template"]["spec"]["initContainers"], made["template"]["spec"]["containers"]

    assert made["strategy"]["rollingUpdate"]["maxUnavailable"] == 0
    assert check["args"] == ["validate", *main["args"]]
    assert check["command"] == main["command"] == ["/otelcol-contrib"]
    assert check["terminationMessagePolicy"] == "FallbackToLogsOnError"
    assert check["volumeMounts"] == main["volumeMounts"]


def test_pods_meet_the_restricted_standard() -> None:
    made = pod(POLICIES, fleet=FLEET)

    assert made["securityContext"]["runAsNonRoot"] is True
    assert made["securityContext"]["runAsUser"] == 10001
    assert made["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    for container in (*made["initContainers"], *made["containers"]):
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }


def test_settings_reach_the_pods() -> None:
    images = {"collector": "docker.io/otel:1", "pullPolicy": "Never", "registry": "mirror", "pullSecrets": ["key"]}
    settings = {"images": images, "gateway": {"replicas": 3, "cpu": "1", "memory": "2Gi"}}
    made = objects(settings=settings)["Deployment"]["spec"]
    for container in (*made["template"]["spec"]["initContainers"], *made["template"]["spec"]["containers"]):
        assert (container["image"], container["imagePullPolicy"]) == ("mirror/otel:1", "Never")
        assert container["resources"] == {"requests": {"cpu": "1", "memory": "2Gi"}, "limits": {"memory": "2Gi"}}
        assert {"name": "GOMEMLIMIT", "value": "1638MiB"} in container["env"]

    assert made["replicas"] == 3
    assert made["template"]["spec"]["imagePullSecrets"] == [{"name": "key"}]


def test_pods_spread_over_nodes_and_zones_but_never_wait_for_one() -> None:
    found = {item["topologyKey"]: item["whenUnsatisfiable"] for item in pod()["topologySpreadConstraints"]}

    assert found == {"kubernetes.io/hostname": "ScheduleAnyway", "topology.kubernetes.io/zone": "ScheduleAnyway"}


def test_with_autoscaling_the_number_of_pods_is_the_autoscalers() -> None:
    made = objects(settings={"gateway": {"replicas": 3, "maxReplicas": 7, "targetUtilization": 60}})
    scaler = made["HorizontalPodAutoscaler"]["spec"]

    assert "replicas" not in made["Deployment"]["spec"]
    assert (scaler["minReplicas"], scaler["maxReplicas"]) == (3, 7)
    assert scaler["scaleTargetRef"]["name"] == made["Deployment"]["metadata"]["name"]
    assert scaler["metrics"][0]["resource"]["target"]["averageUtilization"] == 60
    assert set(made) - set(objects()) == {"HorizontalPodAutoscaler"}


def test_autoscaling_cannot_end_below_its_start() -> None:
    with pytest.raises(Invalid, match=r"gateway\.maxReplicas: must be 0"):
        objects(settings={"gateway": {"replicas": 3, "maxReplicas": 2}})


def test_queues_on_disk_have_a_volume_that_they_never_fill() -> None:
    made = objects(POLICIES, fleet=FLEET, settings={"gateway": {"queueOnDisk": "2Gi"}})
    spec = made["Deployment"]["spec"]["template"]["spec"]
    config = yaml.safe_load(made["ConfigMap"]["data"]["config.yaml"])
    queues = [item["sending_queue"] for name, item in config["exporters"].items() if name.startswith("otlp_http")]

    assert {"name": "queue", "emptyDir": {"sizeLimit": "2Gi"}} in spec["volumes"]
    assert {"name": "queue", "mountPath": config["extensions"]["file_storage/queue"]["directory"]} in spec["containers"][0]["volumeMounts"]
    assert {(item["sizer"], item["storage"]) for item in queues} == {("bytes", "file_storage/queue")}
    assert sum(item["queue_size"] for item in queues) <= 2**30
    assert "file_storage/queue" in config["service"]["extensions"]


def test_the_heap_leaves_room() -> None:
    assert heap("512Mi") == "409MiB"
    assert heap("1Gi") == "819MiB"


def test_admission_leaves_the_gateway_alone() -> None:
    assert objects()["Deployment"]["spec"]["template"]["metadata"]["labels"]["llmobs.dev/inject"] == "false"


def test_selectors_find_the_pods() -> None:
    made = objects()
    labels = made["Deployment"]["spec"]["template"]["metadata"]["labels"].items()

    assert made["Deployment"]["spec"]["selector"]["matchLabels"].items() <= labels
    assert made["Service"]["spec"]["selector"].items() <= labels
    for kind in ("PodDisruptionBudget", "PodMonitor"):
        assert made[kind]["spec"]["selector"]["matchLabels"].items() <= labels
    assert made["NetworkPolicy"]["spec"]["podSelector"]["matchLabels"].items() <= labels


def test_ports_have_names_that_all_refer_to() -> None:
    made = objects()
    ports = {item["name"]: item["containerPort"] for item in pod()["containers"][0]["ports"]}

    assert ports == {"otlp-grpc": 4317, "otlp-http": 4318, "metrics": 8889, "self-metrics": 8888, "health": 13133}
    assert [(item["name"], item["port"], item["targetPort"]) for item in made["Service"]["spec"]["ports"]] == [
        ("otlp-grpc", 4317, "otlp-grpc"),
        ("otlp-http", 4318, "otlp-http"),
    ]
    opened = {port["port"] for rule in made["NetworkPolicy"]["spec"]["ingress"] for port in rule["ports"]}
    assert opened == set(ports)


def test_only_the_credentials_in_use_are_mounted() -> None:
    made = pod(POLICIES, fleet=FLEET)

    secrets = [item["secret"] for item in made["volumes"] if "secret" in item]
    assert [(item["secretName"], item["items"]) for item in secrets] == [("secret-a", [{"key": "apiKey", "path": "apiKey"}])]
    mounts = {item["name"]: item["mountPath"] for item in made["containers"][0]["volumeMounts"]}
    assert mounts["credentials-0"] == "/etc/llmobs/credentials/used"
    config = collector.bare_config(inputs(POLICIES, fleet=FLEET, prices=SMALL))
    assert config["extensions"]["bearertokenauth/used"] == {"filename": "/etc/llmobs/credentials/used/apiKey"}


def test_the_gateways_token_is_given_to_its_pods_alone() -> None:
    assert pod()["automountServiceAccountToken"] is True
    assert objects()["ServiceAccount"]["automountServiceAccountToken"] is False


def test_a_configuration_that_no_configmap_holds_is_not_applied() -> None:
    many = PriceTable({f"model-{index:06}": Row(f"model-{index:06}", 1, index, 1, 1, 2) for index in range(20_000)})
    [part] = collector.parts(inputs(prices=many))

    assert part.manifests == ()
    assert part.finding is not None
    assert (part.finding.status, part.finding.reason) == (Status.FALSE, Reason.APPLY_FAILED)
    assert "LLMPriceLists" in part.finding.message
