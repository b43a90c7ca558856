"""The API server's own admission policies make of a pod what the webhook makes of it, once and again, or leave it as it is."""

from __future__ import annotations

import copy
import itertools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonpatch
import pytest
from hypothesis import HealthCheck, event, given, settings
from llmobs.api.effective import policy
from llmobs.api.settings import Admission, Instrumenter, Settings
from llmobs.cli.documents import resources
from llmobs.inject.checks import CHECKS, MIRROR
from llmobs.inject.compiled import Platform, compiled
from llmobs.inject.decide import Decision, decide
from llmobs.inject.limits import LARGEST
from llmobs.inject.native.conditions import EXPRESSIONS
from llmobs.inject.native.manifests import manifests
from llmobs.inject.pod import decode
from llmobs.inject.reasons import Reason
from llmobs.inject.select import Namespace
from llmobs.inject.select import namespace as around
from llmobs.inject.workload import seen
from llmobs.kit.documents import read
from llmobs.webhook.store import CORE, KINDS, Store

from tests.admission import pod_strategies as pods_of
from tests.admission.test_apiserver import make_admissible
from tests.cluster.apiserver import ApiServer, serving, until

pytestmark = pytest.mark.apiserver

CASES = sorted(path.parent for path in Path(__file__).parent.glob("cases/*/pod.yaml"))
NATIVE = Platform(settings=Settings(admission=Admission(by=Instrumenter.ADMISSION_POLICY)))
GROUP = "/apis/admissionregistration.k8s.io/v1"
PATHS = {
    "MutatingAdmissionPolicy": f"{GROUP}/mutatingadmissionpolicies",
    "MutatingAdmissionPolicyBinding": f"{GROUP}/mutatingadmissionpolicybindings",
}
BY_IMAGE = {"delivery": "ImageVolume"}
_numbers = itertools.count()

Body = dict[str, Any]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiServer]:
    with serving(tmp_path_factory.mktemp("native")) as made:
        yield made


def install(server: ApiServer, places: list[Namespace]) -> None:
    """Put the policies of some namespaces into force."""
    last = f"zz-{next(_numbers)}"
    body = {"metadata": {"name": "p", "namespace": last}, "spec": {"injection": BY_IMAGE}}
    server.request("POST", "/api/v1/namespaces", {"metadata": {"name": last}})
    for made in manifests([*places, around(last, {}, [compiled(policy(body, [], {}), NATIVE)])], NATIVE):
        status, answer = server.apply(f"{PATHS[made['kind']]}/{made['metadata']['name']}", made)
        assert status in (200, 201), answer
    probe = {"metadata": {"name": "probe"}, "spec": {"containers": [{"name": "app", "image": "app"}]}}
    until("the last policy is in force", lambda: "annotations" in sent(server, last, probe)["metadata"])


def named(server: ApiServer, name: str, **meta: dict[str, str]) -> None:
    server.create("/api/v1/namespaces", {"metadata": {"name": name, **meta}})


def sent(server: ApiServer, namespace: str, pod: Body) -> Body:
    """The pod as it would be stored."""
    status, answer = server.request("POST", f"/api/v1/namespaces/{namespace}/pods?dryRun=All", {**pod, "kind": "Pod", "apiVersion": "v1"})
    assert status == 201, answer
    meta = answer["metadata"]
    return {"metadata": {key: meta[key] for key in ("labels", "annotations") if key in meta}, "spec": answer["spec"]}


def decision(pod: Body, place: Namespace) -> Decision:
    body = json.dumps(pod).encode()
    return decide(decode(body), place, size=len(body))


def patched(pod: Body, made: Decision) -> Body:
    found: Body = jsonpatch.apply_patch(pod, json.loads(made.patch))
    return found


class Case:
    """One of the cases of admission, in a namespace of its own, its policies delivering by image where they deliver."""

    def __init__(self, folder: Path) -> None:
        self.name = f"case-{folder.name}".replace(".", "-")
        self.pod = seen(read(folder / "pod.yaml")[0].body).pod
        self.home = read(folder / "pod.yaml")[0].body["metadata"].get("namespace", "default")
        make_admissible(self.pod)
        self.pod["metadata"]["namespace"] = self.name
        if MIRROR in (self.pod["metadata"].get("annotations") or {}):
            self.pod["spec"]["nodeName"] = "n"
        found = resources([str(folder / "policy.yaml")], beside=CORE)
        self.bodies = {kind: [self._moved(kind, item.body) for item in found[kind]] for kind in KINDS}
        around: Body = next((item["metadata"] for item in self.bodies["Namespace"]), {})
        self.meta = {key: around[key] for key in ("labels", "annotations") if key in around}
        self.place = self._place(NATIVE)
        self.webhook = self._place(Platform())

    def _moved(self, kind: str, body: Body) -> Body:
        body = copy.deepcopy(body)
        where = "name" if kind == "Namespace" else "namespace"
        if body["metadata"].get(where, "default") == self.home:
            body["metadata"][where] = self.name
        spec = body.setdefault("spec", {}) if kind == "LLMObservability" else {}
        if kind == "ClusterLLMObservability":
            spec = body.setdefault("spec", {}).setdefault("defaults", {})
        spec["injection"] = {**spec.get("injection", {}), **BY_IMAGE}
        return body

    def _place(self, platform: Platform) -> Namespace:
        store = Store(platform)
        for kind in KINDS:
            store.replace(kind, self.bodies[kind])
        return store.namespace(self.name)


@pytest.fixture(scope="module")
def cases(server: ApiServer) -> dict[str, tuple[Case, Body, Body]]:
    """Every case by its name, with what the server stores of the pod as it is and as the webhook would change it."""
    found: dict[str, tuple[Case, Body, Body]] = {}
    for folder in CASES:
        case = Case(folder)
        named(server, case.name, **case.meta)
        plain = sent(server, case.name, case.pod)
        found[folder.name] = case, plain, sent(server, case.name, patched(case.pod, decision(case.pod, case.webhook)))
    install(server, [case.place for case, _, _ in found.values()])
    return found


@pytest.mark.parametrize("name", [case.name for case in CASES])
def test_a_policy_does_what_the_webhook_does(server: ApiServer, cases: dict[str, tuple[Case, Body, Body]], name: str) -> None:
    case, plain, changed = cases[name]
    judged = decision(case.pod, case.place)
    expected = plain if judged.reason is Reason.NOT_EXPRESSIBLE else changed

    assert sent(server, case.name, case.pod) == expected
    assert sent(server, case.name, patched(case.pod, judged)) == expected, "a second pass"


def test_most_cases_are_covered(cases: dict[str, tuple[Case, Body, Body]]) -> None:
    """What is left to the webhook is known by name."""
    left = {name for name, (case, _, _) in cases.items() if decision(case.pod, case.place).reason is Reason.NOT_EXPRESSIBLE}

    assert left == LEFT_TO_THE_WEBHOOK


LEFT_TO_THE_WEBHOOK = {
    "already-injected",
    "beside-an-agent-of-the-namespace",
    "beside-a-reference",
    "beside-an-agent-that-came-between",
    "beside-an-agent-that-comes-later",
    "beside-opentelemetry-operator",
    "identity-from-annotations",
    "image-volume-after-a-copy",
    "new-container-after-injection",
    "pythonpath-reference",
    "pythonpath-reference-and-original",
    "pythonpath-twice",
    "sdk",
    "sdk-and-python",
    "sdk-attributes-reference",
    "sdk-attributes-set",
    "sdk-endpoint-set",
    "sdk-env-from-one-of-two",
    "sdk-metrics",
    "sdk-metrics-endpoint-set",
    "sdk-traces-endpoint-set",
    "sidecar",
    "sidecar-before-1.29",
    "sidecar-before-init-container",
    "sidecar-before-init-container-before-1.29",
    "sidecar-guaranteed",
    "sidecar-job",
    "sidecar-job-before-1.29",
    "sidecar-limit-range",
}
"""Of all cases those with what docs/injection.md says an admission policy can't express."""
SPECS: dict[str, Body] = {
    "all": {},
    "named": {"injection": {"containers": {"include": ["app", "migrate"], "exclude": ["worker"]}}},
    "selecting": {
        "selector": {"matchLabels": {"app": "checkout"}, "matchExpressions": [{"key": "tier", "operator": "NotIn", "values": ["x"]}]},
        "attributes": {"team": "a,b c"},
        "injection": {"env": [{"name": "EXTRA", "value": "1"}, {"name": "PYTHONPATH", "value": "/own"}], "vectorStores": True},
    },
    "asked": {"injection": {"mode": "OptIn", "containers": {"exclude": ["proxy"]}}},
}


@pytest.fixture(scope="module")
def places(server: ApiServer) -> dict[str, Namespace]:
    """A namespace for each of some policies, in force."""
    found = {}
    for name, spec in SPECS.items():
        where = f"any-{name}"
        named(server, where)
        named(server, f"{where}-bare")
        merged = {**spec, "injection": {**spec.get("injection", {}), **BY_IMAGE}}
        body = {"metadata": {"name": "p", "namespace": where}, "spec": merged}
        found[where] = around(where, {}, [compiled(policy(body, [], {}), NATIVE)])
    install(server, list(found.values()))
    return found


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(pod=pods_of.pods())
def test_any_pod_is_changed_as_the_webhook_changes_it_or_left_alone(server: ApiServer, places: dict[str, Namespace], pod: Body) -> None:
    make_admissible(pod)
    if server.request("POST", "/api/v1/namespaces/any-all-bare/pods?dryRun=All", {**pod, "kind": "Pod", "apiVersion": "v1"})[0] != 201:
        return
    for where, place in places.items():
        judged = decision(pod, place)
        event(f"{where}: {judged.reason.value}")
        expected = sent(server, f"{where}-bare", patched(pod, judged))

        assert sent(server, where, pod) == expected
        assert sent(server, where, patched(pod, judged)) == expected, "a second pass"


@pytest.mark.parametrize(
    ("words", "more", "reason"), [("args", 0, "Injected"), ("args", 1, "NotExpressible"), ("command", 1, "NotExpressible")]
)
def test_both_count_the_same_words(server: ApiServer, places: dict[str, Namespace], words: str, more: int, reason: str) -> None:
    container = {"name": "app", "image": "app", "env": [{"name": "ABC", "value": "d"}], words: ["é" * 1000, "x" * (LARGEST - 1004 + more)]}
    pod = {"metadata": {"name": "p"}, "spec": {"containers": [container]}}
    make_admissible(pod)
    judged = decision(pod, places["any-all"])

    assert judged.reason.value == reason
    assert sent(server, "any-all", pod) == sent(server, "any-all-bare", patched(pod, judged))


def test_every_check_has_its_expression() -> None:
    decided_before = {"labels, policy and mode", "variables that can be seen", "a delivery that the API server knows", "room for our files"}
    decided_before |= {"a collector beside it can run", "resources for that collector"}

    assert [check.name for check in CHECKS if check.name not in decided_before] == list(EXPRESSIONS)
