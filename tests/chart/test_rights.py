"""What the chart lets its service accounts do, for every combination of the values that change it."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from itertools import product
from typing import Any

import pytest
from llmobs.api import names
from llmobs.api.settings import Dedicated, Settings
from llmobs.api.v1alpha1.collector import Collector, CollectorMode
from llmobs.cluster import installation, kinds
from llmobs.plan.build import policy_parts
from llmobs.plan.inputs import Facts, Inputs
from llmobs.prices.table import PriceTable

from tests.chart.helm import CHART, NAMESPACE, manifests, one
from tests.chart.test_chart import allowed, rules
from tests.rules.promtool import policy

WATCHED = ("team-a", "team-b")
ONLY = f"--set=watch.namespaces={{{','.join(WATCHED)}}}"
CHOICES = (
    ("crds.install=false", ONLY.removeprefix("--set=")),
    ("dedicated.enabled=false", "dedicated.enabled=true"),
    ("controller.restartsWorkloads=true", "controller.restartsWorkloads=false"),
    ("webhook.certManager.enabled=false", "webhook.certManager.enabled=true"),
    ("webhook.enabled=true", "webhook.enabled=false", "admission.by=AdmissionPolicy"),
)
COMBINATIONS = [tuple(f"--set={item}" for item in ("crds.install=false", *chosen)) for chosen in product(*CHOICES)]

Right = tuple[str, str, str, str, str, str]
"""Role's name, its namespace (empty: of the whole cluster), API group, resource, verb, object's name (empty: any)."""

DANGEROUS = {"escalate", "bind", "impersonate", "deletecollection", "approve", "sign", "attest", "update"}
"""Verbs that turn a right into others, or reach further than they look. Everything is changed by patch, which keeps what others say."""
FORBIDDEN = {
    *("nodes", "nodes/proxy", "pods/exec", "pods/attach", "pods/portforward", "pods/ephemeralcontainers", "pods/log"),
    *("serviceaccounts/token", "certificatesigningrequests", "customresourcedefinitions", "persistentvolumes", "jobs"),
    *("validatingwebhookconfigurations", "tokenreviews", "subjectaccessreviews"),
}


@cache
def rendered(options: tuple[str, ...]) -> list[dict[str, Any]]:
    return manifests(*options)


def rights(options: tuple[str, ...]) -> Iterator[Right]:
    for role in rendered(options):
        if role["kind"] not in ("Role", "ClusterRole"):
            continue
        where = role["metadata"].get("namespace", "")
        for rule in role["rules"]:
            assert not rule.keys() - {"apiGroups", "resources", "verbs", "resourceNames"}, rule
            for right in product(rule["apiGroups"], rule["resources"], rule["verbs"], rule.get("resourceNames") or [""]):
                yield (role["metadata"]["name"], where, *right)


@pytest.mark.parametrize("options", COMBINATIONS, ids=lambda options: " ".join(item.removeprefix("--set=") for item in options[1:]))
def test_no_combination_of_values_gives_more_than_it_must(options: tuple[str, ...]) -> None:
    found = list(rights(options))
    kept = {names.HASH_KEY}
    if {"--set=webhook.enabled=true", "--set=webhook.certManager.enabled=false"} <= set(options):
        kept |= {installation.AUTHORITY, installation.CERTIFICATE}

    assert {name for *_, resource, _, name in found if resource == "secrets"} == kept
    for right in found:
        role, where, group, resource, verb, name = right
        said = f"{verb} {resource}.{group} {name} by {role} in {where or 'the cluster'}"
        assert "*" not in right, said
        assert verb not in DANGEROUS, said
        assert resource not in FORBIDDEN, said
        assert verb in _verbs(options, role, resource), said
        assert name or resource not in NAMED, said
        assert resource != "secrets" or where == NAMESPACE, said
        assert where or ONLY not in options or resource in CLUSTER_SCOPED, said
        assert where in {"", NAMESPACE, *(WATCHED if ONLY in options else ())}, said
        assert resource != "namespaces" or ONLY not in options or name in WATCHED, said


NAMED = {"secrets", "mutatingwebhookconfigurations", "clusterroles"}
"""What is only given by name."""
LOOK = {"get", "list", "watch"}


def _verbs(options: tuple[str, ...], role: str, resource: str) -> set[str]:
    """The verbs on a resource that some task needs."""
    restarts, dedicated = "--set=controller.restartsWorkloads=true" in options, "--set=dedicated.enabled=true" in options
    native = "--set=admission.by=AdmissionPolicy" in options
    change = {*LOOK, "create", "patch", "delete"}
    special = {
        "secrets": {"get", "create", "patch"},
        "pods": {"list", "watch", "delete"} if restarts else {"list", "watch"},
        **dict.fromkeys(("daemonsets", "cronjobs"), {"get", "patch"} if restarts else {"get"}),
        **dict.fromkeys(("roles", "rolebindings"), change if dedicated else set()),
        "clusterroles": {"get"} if native else set(),
        **dict.fromkeys(("mutatingadmissionpolicies", "mutatingadmissionpolicybindings"), change if native else set()),
        "mutatingwebhookconfigurations": {"get", "patch"},
        "namespaces": {"list", "watch"},
    }
    most = special.get(resource, change)
    return most if role.startswith("llmobs-controller") or role == installation.ADMISSION else most & LOOK


CLUSTER_SCOPED = {
    *("clusterllmobservabilities", "clusterllmobservabilities/status", "llmpricelists", "llmpricelists/status", "namespaces"),
    *("mutatingwebhookconfigurations", "mutatingadmissionpolicies", "mutatingadmissionpolicybindings", "clusterroles"),
}
"""What has no namespace, so that no Role can give a right on it."""


def test_in_some_namespaces_the_same_is_given_as_in_all() -> None:
    """What a Role in a watched namespace gives is what the ClusterRole gave, no more and no less."""
    for offered in ("false", "true"):
        more = ("--set=crds.install=false", f"--set=dedicated.enabled={offered}")
        everywhere, some = set(rights(more)), set(rights((*more, ONLY)))
        for component in ("controller", "webhook", "gateway"):
            before = {right[2:] for right in everywhere if right[:2] == (f"llmobs-{component}", "") and right[3] not in CLUSTER_SCOPED}
            for place in WATCHED:
                assert {right[2:] for right in some if right[:2] == (f"llmobs-{component}-watched", place)} == before, component
    for item in rendered(("--set=crds.install=false", ONLY)):
        if item["kind"] in ("RoleBinding", "ClusterRoleBinding"):
            [subject] = item["subjects"]
            assert (subject["kind"], subject["namespace"]) == ("ServiceAccount", NAMESPACE)
            assert item["metadata"]["name"].startswith(subject["name"])
            assert item["roleRef"]["name"] == item["metadata"]["name"]


def test_a_dedicated_gateway_is_given_no_right_that_the_controller_lacks() -> None:
    spec = policy().spec
    own = policy().__class__(identity=policy().identity, spec=spec.__class__(collector=Collector(mode=CollectorMode.DEDICATED)))
    given = Inputs(settings=Settings(dedicated=Dedicated(enabled=True)), facts=Facts(), prices=PriceTable(), policies=(own,))
    [role] = [item for part in policy_parts(given, own) for item in part.manifests if item["kind"] == "Role"]
    everywhere = rules(manifests("--set=dedicated.enabled=true"), "ClusterRole", "llmobs-controller")
    for item in role["rules"]:
        for plural, verb in product(item["resources"], item["verbs"]):
            assert allowed(everywhere, kinds.Resource("v1", "", plural), verb)


def test_the_webhook_is_asked_about_watched_namespaces_only() -> None:
    [hook] = one(manifests(ONLY), "MutatingWebhookConfiguration", installation.WEBHOOK)["webhooks"]
    asked = {(item["key"], item["operator"]): item["values"] for item in hook["namespaceSelector"]["matchExpressions"]}
    assert asked["kubernetes.io/metadata.name", "In"] == list(WATCHED)
    assert NAMESPACE in asked["kubernetes.io/metadata.name", "NotIn"]
    [hook] = one(manifests(), "MutatingWebhookConfiguration", installation.WEBHOOK)["webhooks"]
    assert "In" not in {item["operator"] for item in hook["namespaceSelector"]["matchExpressions"]}


PAGE = CHART.parents[1] / "docs" / "permissions.md"
WHEN: dict[str, Any] = {
    "": lambda _: True,
    "`controller.restartsWorkloads`": lambda given: "--set=controller.restartsWorkloads=true" in given,
    "`dedicated.enabled`": lambda given: "--set=dedicated.enabled=true" in given,
    "`admission.by: AdmissionPolicy`": lambda given: "--set=admission.by=AdmissionPolicy" in given,
    "`admission.by: Webhook`": lambda given: "--set=admission.by=AdmissionPolicy" not in given,
    "webhook": lambda given: "--set=webhook.enabled=true" in given,
    "own certificate": lambda given: {"--set=webhook.enabled=true", "--set=webhook.certManager.enabled=false"} <= set(given),
}
"""What the page says of when a right is given."""


def _told(options: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """The rights that the page tells of: account, where, group, resource, verb, name."""
    for section in PAGE.read_text(encoding="utf-8").split("\n## ")[1:]:
        account, _, rest = section.partition("\n")
        for line in rest.splitlines() if account.startswith("llmobs-") else []:
            if not line.startswith("| ") or line.startswith("| Where"):
                continue
            where, resources, verbs, named, when, why = (cell.strip() for cell in line.strip("|").split("|"))
            assert why, line
            if not WHEN[when](options):
                continue
            group, _, plurals = resources.rpartition(": ")
            only = (WATCHED if ONLY in options else ("",)) if named == "those watched" else named.split(", ")
            for right in product([group.strip("`")], plurals.split(", "), verbs.split(", "), only):
                yield (account, where, *right)


def _given(options: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """Those that the chart gives."""
    for role, where, group, resource, verb, name in rights(options):
        account = "llmobs-controller" if role == installation.ADMISSION else role.removesuffix("-watched")
        everywhere = "cluster" if resource in CLUSTER_SCOPED else "watched"
        yield (account, "own" if where == NAMESPACE else "watched" if where else everywhere, group, resource, verb, name)


@pytest.mark.parametrize("options", COMBINATIONS, ids=lambda options: " ".join(item.removeprefix("--set=") for item in options[1:]))
def test_the_page_says_what_the_chart_gives(options: tuple[str, ...]) -> None:
    assert set(_told(options)) == set(_given(options))
