"""The chart as helm renders it: values, settings, rights, security, admission."""

from __future__ import annotations

import fnmatch
from dataclasses import replace
from typing import Any

import pytest
import yaml
from llmobs.api import names
from llmobs.api.settings import Gateway, Settings
from llmobs.api.v1alpha1.collector import Collector, CollectorMode
from llmobs.cluster import installation, kinds
from llmobs.cluster.certificates import hosts
from llmobs.kit.decode import camel, decode
from llmobs.kit.errors import Invalid
from llmobs.plan.build import fleet_parts, policy_parts
from llmobs.plan.inputs import Facts, Inputs
from llmobs.prices.table import PriceTable

from tests.chart.helm import CHART, NAMESPACE, manifests, one, run
from tests.rules.promtool import policy

EVERYTHING = (
    "--set=monitoring.podMonitor.enabled=true",
    "--set=monitoring.prometheusRule.enabled=true",
    "--set=networkPolicy.enabled=true",
    "--set=imagePullSecrets[0].name=registry",
    "--set=controller.priorityClassName=high",
    "--set=webhook.nodeSelector.disk=ssd",
    "--set=crds.keep=true",
)


def settings(*options: str) -> Settings:
    text = one(manifests(*options), "ConfigMap", installation.SETTINGS)["data"]["config.yaml"]
    return decode(Settings, yaml.safe_load(text))


def test_helm_accepts_the_chart() -> None:
    done = run("lint", "--strict", str(CHART), *EVERYTHING)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_default_values_are_the_operators_own_defaults() -> None:
    assert settings() == Settings()


def test_every_setting_can_be_given_as_a_value() -> None:
    given = settings(
        "--set=clusterName=c,images.collector=a/b:1,images.collectorVersion=0.160.0,images.python=a/p:1,images.pullPolicy=Always,images.registry=r.io/x,images.pullSecrets={k},gateway.replicas=3",
        "--set=gateway.maxReplicas=9,gateway.targetUtilization=60,gateway.queueOnDisk=1Gi",
        "--set=dedicated.enabled=true,dedicated.replicas=2,dedicated.cpu=1,dedicated.memory=1Gi",
        "--set=sidecar.native=false,sidecar.cpu=1,sidecar.memory=1Gi,sidecar.countsAgainstQuota=true",
        "--set=gateway.cpu=1,gateway.memory=3Gi,gateway.scrapeInterval=5s,gateway.podMonitorLabels.release=x,rules.tile=1m",
        "--set=rules.labels.release=x,rules.runbookURL=https://r,rules.dashboardURL=https://g,grafana.label=l,grafana.value=v",
        "--set=admission.by=AdmissionPolicy,webhook.excludedNamespaces={a},watch.namespaces={a,b}",
        "--set=grafana.folder=F,prometheus.url=http://p:9090,resync=10s",
    )
    default = Settings()
    for name in Settings.__dataclass_fields__:
        mine, theirs = getattr(given, name), getattr(default, name)
        fields = getattr(mine, "__dataclass_fields__", None)
        for inner in set(fields or ()) - {"queue_storage_class"}:  # not beside autoscaling
            assert getattr(mine, inner) != getattr(theirs, inner), camel(inner)
        assert mine != theirs, name


@pytest.mark.parametrize(
    ("option", "said"),
    [
        ("gateway.replicas=0", "/gateway/replicas"),
        ("admission.by=Sidecar", "/admission/by"),
        ("gateway.memory=lots", "/gateway/memory"),
        ("rules.tile=2m", "/rules/tile"),
        ("prometheus.url=prometheus:9090", "/prometheus/url"),
        ("images.pullPolicy=Sometimes", "/images/pullPolicy"),
        ("images.registry=https://mirror", "/images/registry"),
        ("images.pullSecrets={A_B}", "/images/pullSecrets/0"),
        ("webhook.timeoutSeconds=60", "/webhook/timeoutSeconds"),
        ("watch.namespaces={team_a}", "/watch/namespaces/0"),
        ("webhook.replica=3", "replica"),
        ("promehteus.url=x", "promehteus"),
        ("crds.keep=maybe", "/crds/keep"),
    ],
)
def test_a_wrong_value_is_refused_by_name(option: str, said: str) -> None:
    done = run("template", "llmobs", str(CHART), "--set", option)
    assert done.returncode != 0
    assert said in done.stderr


def test_what_the_schema_lets_through_the_operator_understands() -> None:
    with pytest.raises(Invalid, match=r"rules\.tile"):
        decode(Settings, {"rules": {"tile": "2m"}})
    values = yaml.safe_load((CHART / "values.yaml").read_text())
    known = {camel(name) for name in Settings.__dataclass_fields__}
    assert known <= values.keys()


@pytest.mark.parametrize("repository", ["ghcr.io/a/b", "localhost/a/b", "registry:5000/a/b", "a/b"])
def test_a_mirror_stands_in_for_every_registry(repository: str) -> None:
    """In the operator's own pods by the chart, in all others by the operator, with the same outcome."""
    found = manifests("--set=images.registry=mirror:5000/hub", f"--set=image.repository={repository}", "--set=image.tag=v1")
    for name in ("llmobs-controller", "llmobs-webhook"):
        [container] = one(found, "Deployment", name)["spec"]["template"]["spec"]["containers"]
        assert container["image"] == "mirror:5000/hub/a/b:v1"
    given = decode(Settings, yaml.safe_load(one(found, "ConfigMap", installation.SETTINGS)["data"]["config.yaml"]))
    assert given.images.located(f"{repository}:v1") == "mirror:5000/hub/a/b:v1"
    assert Settings().images.located(f"{repository}:v1") == f"{repository}:v1"


def test_every_value_is_commented() -> None:
    lines = (CHART / "values.yaml").read_text().splitlines()
    bare = [
        line
        for before, line in zip(["", *lines], lines, strict=False)
        if line.strip() and not line.strip().startswith("#") and not before.strip().startswith("#") and not _inside(line)
    ]
    assert bare == []


def _inside(line: str) -> bool:
    """Requests and limits speak for themselves."""
    return line.strip().startswith(("requests:", "limits:"))


def rules(found: list[dict[str, Any]], kind: str, name: str) -> list[dict[str, Any]]:
    return list(one(found, kind, name)["rules"])


def allowed(given: list[dict[str, Any]], kind: kinds.Resource, verb: str, name: str = "") -> bool:
    return any(
        kind.group in item["apiGroups"]
        and kind.plural in item["resources"]
        and verb in item["verbs"]
        and (not item.get("resourceNames") or any(fnmatch.fnmatch(name, known) for known in item["resourceNames"]))
        for item in given
    )


def planned() -> list[dict[str, Any]]:
    everything = Settings(gateway=Gateway(max_replicas=5))
    inputs = Inputs(settings=everything, facts=Facts(namespace=NAMESPACE), prices=PriceTable(), policies=(policy(),))
    beside = replace(policy(), spec=replace(policy().spec, collector=Collector(mode=CollectorMode.SIDECAR)))
    parts = [*fleet_parts(inputs), *policy_parts(inputs, policy()), *policy_parts(inputs, beside)]
    return [manifest for part in parts for manifest in part.manifests]


def test_every_kind_that_is_planned_has_its_rights() -> None:
    found = manifests()
    everywhere, own = rules(found, "ClusterRole", "llmobs-controller"), rules(found, "Role", "llmobs-controller")
    assert planned()
    for manifest in planned():
        kind, meta = kinds.resource(manifest), manifest["metadata"]
        given = [*everywhere, *own] if meta.get("namespace") == NAMESPACE else everywhere
        for verb in ("get", "list", "watch", "create", "patch", "delete"):
            assert allowed(given, kind, verb, meta["name"]), f"{verb} {kinds.ref(manifest)}"


def test_every_kind_that_is_planned_can_be_pruned() -> None:
    for manifest in planned():
        kind = kinds.resource(manifest)
        fleet = manifest["metadata"]["labels"]["llmobs.dev/owner"] == "fleet"
        assert kind in (kinds.FLEET_KINDS if fleet else kinds.POLICY_KINDS)


CERT_MANAGER = "--set=webhook.certManager.enabled=true"


def test_with_cert_manager_nobody_touches_its_secrets_and_its_authority_is_injected() -> None:
    found = manifests(CERT_MANAGER)
    roles = [item for item in found if item["kind"] in ("Role", "ClusterRole")]
    touched = [rule["resourceNames"] for role in roles for rule in role["rules"] if "secrets" in rule["resources"]]
    assert touched == [[names.HASH_KEY]]
    assert not allowed(rules(found, "ClusterRole", "llmobs-controller"), kinds.WEBHOOKS, "patch", installation.WEBHOOK)
    configuration = one(found, "MutatingWebhookConfiguration", installation.WEBHOOK)
    assert configuration["metadata"]["annotations"] == {installation.INJECTOR: f"{NAMESPACE}/llmobs-webhook"}
    leaf = one(found, "Certificate", "llmobs-webhook")["spec"]
    assert (leaf["secretName"], leaf["dnsNames"]) == (installation.CERTIFICATE, hosts(NAMESPACE))
    issuer = one(found, "Issuer", leaf["issuerRef"]["name"])["spec"]
    root = one(found, "Certificate", "llmobs-webhook-ca")["spec"]
    assert issuer == {"ca": {"secretName": root["secretName"]}}
    assert root["isCA"] is True


def test_an_issuer_of_the_users_own_replaces_the_releases_authority() -> None:
    found = manifests(CERT_MANAGER, "--set=webhook.certManager.issuerRef.kind=ClusterIssuer,webhook.certManager.issuerRef.name=internal")
    assert one(found, "Certificate", "llmobs-webhook")["spec"]["issuerRef"] == {"kind": "ClusterIssuer", "name": "internal"}
    assert [item["metadata"]["name"] for item in found if item["kind"] in ("Issuer", "Certificate")] == ["llmobs-webhook"]


@pytest.mark.parametrize("name", ["llmobs-controller", "llmobs-webhook"])
def test_pods_pass_the_restricted_level_and_are_never_instrumented(name: str) -> None:
    template = one(manifests(), "Deployment", name)["spec"]["template"]
    assert template["metadata"]["labels"]["llmobs.dev/inject"] == "false"
    pod = template["spec"]
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    for container in pod["containers"]:
        context = container["securityContext"]
        assert context == {"allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]}}
        assert container["resources"]["requests"]
        assert container["resources"]["limits"]["memory"]
    allowed_volumes = {"configMap", "secret", "emptyDir"}
    assert all(set(volume) - {"name"} <= allowed_volumes for volume in pod["volumes"])


def test_a_changed_setting_is_a_changed_pod() -> None:
    def mark(*options: str) -> str:
        template = one(manifests(*options), "Deployment", "llmobs-controller")["spec"]["template"]
        return str(template["metadata"]["annotations"]["llmobs.dev/settings"])

    assert mark() == mark()
    assert mark() != mark("--set=rules.tile=1m")


def test_the_controller_is_one_and_the_webhook_never_fewer_than_asked_for() -> None:
    found = manifests()
    controller, webhook = (one(found, "Deployment", f"llmobs-{name}")["spec"] for name in ("controller", "webhook"))
    assert (controller["replicas"], controller["strategy"]) == (1, {"type": "Recreate"})
    assert webhook["replicas"] == 2
    assert webhook["strategy"]["rollingUpdate"]["maxUnavailable"] == 0
    assert webhook["template"]["spec"]["containers"][0]["lifecycle"]["preStop"] == {"sleep": {"seconds": 5}}
    assert one(found, "PodDisruptionBudget", "llmobs-webhook")["spec"]["maxUnavailable"] == 1


def test_admission_can_never_hold_up_the_cluster() -> None:
    [hook] = one(manifests("--set=webhook.excludedNamespaces={a,b}"), "MutatingWebhookConfiguration", installation.WEBHOOK)["webhooks"]
    assert (hook["failurePolicy"], hook["timeoutSeconds"], hook["sideEffects"]) == ("Ignore", 2, "None")
    assert hook["reinvocationPolicy"] == "IfNeeded"
    [rule] = hook["rules"]
    assert (rule["operations"], rule["resources"], rule["scope"]) == (["CREATE"], ["pods"], "Namespaced")
    excluded = hook["namespaceSelector"]["matchExpressions"][0]
    assert excluded["operator"] == "NotIn"
    assert {"kube-system", "kube-node-lease", NAMESPACE, "a", "b"} <= set(excluded["values"])


def test_the_service_finds_the_webhook_and_no_other_pod() -> None:
    found = manifests()
    selector = one(found, "Service", "llmobs-webhook")["spec"]["selector"]
    labels = {item["metadata"]["name"]: item["spec"]["template"]["metadata"]["labels"] for item in found if item["kind"] == "Deployment"}
    [gateway] = [item for item in planned() if item["kind"] == "Deployment"]
    labels["llmobs-gateway"] = gateway["spec"]["template"]["metadata"]["labels"]
    chosen = [name for name, given in labels.items() if selector.items() <= given.items()]
    assert chosen == ["llmobs-webhook"]


def test_definitions_come_with_the_chart_and_go_with_it_unless_kept() -> None:
    def definitions(*options: str) -> list[dict[str, Any]]:
        return [item for item in manifests(*options) if item["kind"] == "CustomResourceDefinition"]

    assert len(definitions()) == len(kinds.OURS)
    assert all("helm.sh/resource-policy" not in item["metadata"].get("annotations", {}) for item in definitions())
    assert all(item["metadata"]["annotations"]["helm.sh/resource-policy"] == "keep" for item in definitions("--set=crds.keep=true"))
    assert definitions("--set=crds.install=false") == []


def test_the_charts_definitions_are_the_generated_ones() -> None:
    root = CHART.parents[1] / "crds"
    for path in sorted(root.glob("*.yaml")):
        assert (CHART / "files" / "crds" / path.name).read_text() == path.read_text()


def test_without_the_webhook_nothing_of_it_is_left() -> None:
    assert [item for item in manifests("--set=webhook.enabled=false") if item["metadata"]["name"] == "llmobs-webhook"] == []
