"""``llmobs inject``: exit status, messages and forms of output."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from llmobs.cli.program import program

POLICY = """
apiVersion: llmobs.dev/v1alpha1
kind: LLMObservability
metadata: {name: checkout, namespace: default}
"""
POD = """
apiVersion: v1
kind: Pod
metadata: {name: api}
spec:
  containers: [{name: app, image: app}]
"""
SERVICE = "apiVersion: v1\nkind: Service\nmetadata: {name: api}\n"


class Command:
    """Runs the command in a folder of its own."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch, captured: pytest.CaptureFixture[str]) -> None:
        self._captured = captured
        self._monkeypatch = monkeypatch
        monkeypatch.chdir(folder)

    def __call__(self, *further: str, pod: str = POD, policy: str = POLICY, stdin: str | None = None) -> tuple[int, str, str]:
        Path("pod.yaml").write_text(pod, encoding="utf-8")
        Path("policy.yaml").write_text(policy, encoding="utf-8")
        if stdin is not None:
            self._monkeypatch.setattr("sys.stdin", io.StringIO(stdin))
        status = program(
            ["inject", *(() if "-f" in further else ("-f", "pod.yaml")), *(() if "-p" in further else ("-p", "policy.yaml")), *further]
        )
        printed = self._captured.readouterr()
        return status, printed.out, printed.err


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    return Command(tmp_path, monkeypatch, capsys)


def checks(err: str) -> list[str]:
    return [line.removeprefix("  check ") for line in err.splitlines() if line.startswith("  check ")]


def test_explanation_tells_every_check_not_only_the_one_that_decided(command: Command) -> None:
    pod = POD + "  hostNetwork: true\n  os: {name: windows}\n"
    status, _, err = command("--explain", pod=pod)

    assert status == 3
    assert "  reason: HostNetwork" in err
    assert [said for said in checks(err) if ": fails" in said] == [
        "a network of its own: fails, HostNetwork",
        "runs on Linux: fails, WindowsNode",
    ]
    assert "labels, policy and mode: passes" in checks(err)


def test_without_a_policy_only_its_absence_is_told(command: Command) -> None:
    status, _, err = command("--explain", policy=POLICY.replace("default", "elsewhere"))

    assert status == 3
    assert checks(err) == ["labels, policy and mode: fails, NoPolicy"]


def test_explanation_says_what_happens_to_every_container(command: Command) -> None:
    policy = POLICY + "spec: {injection: {containers: {exclude: [proxy]}}}\n---" + POLICY.replace("checkout", "other")
    pod = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: api, labels: {llmobs.dev/inject: "false"}}
spec:
  template:
    spec:
      initContainers: [{name: migrate, image: app}]
      containers:
      - {name: app, image: app, envFrom: [{configMapRef: {name: settings}}]}
      - {name: own, image: app, env: [{name: PYTHONPATH, value: /own}]}
      - {name: referred, image: app, env: [{name: PYTHONPATH, valueFrom: {secretKeyRef: {name: s, key: k}}}]}
      - {name: proxy, image: proxy}
"""
    status, _, err = command("--explain", pod=pod, policy=policy)

    assert status == 0
    lines = [line for line in err.splitlines() if not line.startswith("  check ")]
    assert lines == [
        "Deployment default/api",
        "  decision: injected",
        "  reason: Injected: The pod is instrumented.",
        "  policy: default/checkout (file.0), before default/other: most selector requirements wins, then the oldest, then the name",
        (
            "  container app: instrumented. "
            "A PYTHONPATH from envFrom can't be seen here and would be overridden: repeat its value in injection.env."
        ),
        "  container own: instrumented. Our entry stands last in its PYTHONPATH.",
        (
            "  container referred: instrumented. "
            "Its PYTHONPATH comes from a reference: renamed to ORIGINAL_PYTHONPATH and put before our entry."
        ),
        "  container proxy: left alone: injection.containers.exclude names it.",
        "  init container migrate: left alone: an init container is instrumented only where injection.containers.include names it.",
        "  note: the label llmobs.dev/inject on the Deployment itself has no effect; set it on the pod template",
    ]


def test_explanation_of_a_second_pass(command: Command) -> None:
    _, once, _ = command()
    status, twice, err = command("--explain", pod=once)

    assert (status, twice) == (3, once)
    assert "  reason: AlreadyInjected: " in err
    assert "  container app: instrumented already; nothing is missing." in err
    assert "  init container llmobs-python: ours; it copies the files that the others read." in err


def test_explanation_where_nothing_applies(command: Command) -> None:
    status, _, err = command("--explain", policy=POLICY.replace("default", "team-b"))

    assert status == 3
    assert "  policy: none" in err
    assert "  container app: left alone, as the whole pod is." in err


def test_container_that_include_leaves_out_is_named(command: Command) -> None:
    _, _, err = command("--explain", policy=POLICY + "spec: {injection: {containers: {include: [other]}}}")

    assert "  reason: NoContainer: " in err
    assert "  container app: left alone: injection.containers.include does not name it." in err


def test_both_files_may_come_from_standard_input(command: Command) -> None:
    _, from_file, _ = command("-o", "json")

    assert command("-f", "-", "-o", "json", stdin=POD)[:2] == (0, from_file)
    assert command("-p", "-", "-o", "json", stdin=POLICY)[:2] == (0, from_file)


def test_policies_come_from_folders_and_several_files(command: Command, tmp_path: Path) -> None:
    (tmp_path / "policies").mkdir()
    (tmp_path / "policies" / "a.yaml").write_text(SERVICE)
    (tmp_path / "policies" / "b.json").write_text(json.dumps(yaml.safe_load(POLICY)))
    (tmp_path / "policies" / "c.txt").write_text("not: read: at all")
    (tmp_path / "namespace.yaml").write_text(
        "apiVersion: v1\nkind: Namespace\nmetadata: {name: default, labels: {llmobs.dev/inject: 'false'}}"
    )

    assert command("-p", "policies")[0] == 0
    assert command("-p", "policies", "namespace.yaml")[0] == 3
    assert command("-p", "policies", "-p", "namespace.yaml")[0] == 3


def test_other_objects_of_the_file_pass_through_in_order(command: Command) -> None:
    status, out, _ = command(pod=f"{SERVICE}---{POD}---\n{SERVICE}")

    assert status == 0
    assert [item["kind"] for item in yaml.safe_load_all(out)] == ["Service", "Pod", "Service"]
    _, out, _ = command("-o", "json", pod=f"{SERVICE}---{POD}")
    assert [item["kind"] for item in json.loads(out)["items"]] == ["Service", "Pod"]
    _, out, _ = command("-o", "patch", pod=f"{SERVICE}---{POD}")
    assert json.loads(out)[0]["op"] == "add"


def test_a_list_is_unrolled(command: Command) -> None:
    status, out, _ = command(pod=json.dumps({"apiVersion": "v1", "kind": "List", "items": [yaml.safe_load(POD), yaml.safe_load(POD)]}))

    assert status == 0
    assert len(list(yaml.safe_load_all(out))) == 2


def test_configuration_sets_image_and_namespace_of_the_gateway(command: Command, tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text("images: {python: registry.example.com/python:9, pullPolicy: Always}\n")

    _, out, _ = command("--config", "config.yaml", "--operator-namespace", "observability")

    container = yaml.safe_load(out)["spec"]["initContainers"][0]
    assert (container["image"], container["imagePullPolicy"]) == ("registry.example.com/python:9", "Always")
    assert "http://llmobs-gateway.observability.svc:4318" in out


def changed(text: str, old: str, new: str) -> dict[str, Any]:
    assert old in text
    return {"pod" if text is POD else "policy": text.replace(old, new)}


DEPLOYMENT = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: api}\nspec: "


@pytest.mark.parametrize(
    ("files", "arguments", "said"),
    [
        (changed(POD, "image: app", "image: 5"), (), "pod.yaml: spec.containers[0].image: expected `str`, got `int`; correct it"),
        (
            changed(POD, "image: app", "resources: {limits: {cpu: lots}}"),
            (),
            "pod.yaml: 'lots' is no resource quantity such as 250m or 64Mi",
        ),
        ({"pod": SERVICE}, (), "pod.yaml: holds no Pod, Deployment, StatefulSet, DaemonSet, ReplicaSet, Job or CronJob"),
        ({"pod": ""}, (), "pod.yaml: holds no Pod"),
        ({"pod": "[1"}, (), "pod.yaml, line 1, column 3: is not YAML"),
        ({"pod": "a: 1\na: 2"}, (), "pod.yaml, line 2, column 1: is not YAML: the key 'a' stands twice"),
        ({"pod": "- 1"}, (), "pod.yaml: must be an object of keys and values, not [1]"),
        ({"pod": DEPLOYMENT + "{}"}, (), "pod.yaml: spec.template: is required"),
        ({"pod": DEPLOYMENT + "{template: {}}"}, (), "pod.yaml: spec.template.spec: is required"),
        ({"pod": DEPLOYMENT + "{template: [1]}"}, (), "pod.yaml: spec.template: must be an object, not [1]"),
        (
            {"pod": DEPLOYMENT + "{template: {spec: {containers: [{env: [{value: 5}]}]}}}"},
            (),
            "pod.yaml: spec.template.spec.containers[0].env[0].value: expected `str | null`, got `int`",
        ),
        (
            changed(POLICY, "LLMObservability", "LLMObservabilty"),
            (),
            "policy.yaml: kind: must be one of LLMObservability, ClusterLLMObservability",
        ),
        (changed(POLICY, "v1alpha1", "v2"), (), "policy.yaml: apiVersion: must be llmobs.dev/v1alpha1, not llmobs.dev/v2"),
        (
            changed(POLICY, "llmobs.dev/v1alpha1", "v1"),
            (),
            "policy.yaml: apiVersion: must be llmobs.dev/v1alpha1 for a LLMObservability, not v1",
        ),
        (changed(POLICY, "name: checkout, ", ""), (), "policy.yaml: LLMObservability: metadata.name: is required"),
        (
            {"policy": POLICY + "spec: {injection: {mode: auto}}"},
            (),
            (
                "policy.yaml: LLMObservability default/checkout: spec.injection.mode: "
                "must be one of Auto, OptIn, Disabled, not 'auto'; did you mean Auto?"
            ),
        ),
        (
            {"policy": f"{POLICY}---{POLICY}"},
            (),
            "policy.yaml, document 2: LLMObservability default/checkout stands in policy.yaml, document 1 already; keep one of them",
        ),
        ({"pod": f"{POD}---{POD}"}, ("-o", "patch"), "pod.yaml: holds several pods and workloads"),
        ({}, ("-p", "nowhere"), "nowhere: cannot be read: No such file or directory"),
        ({}, ("-f", "nowhere.yaml"), "nowhere.yaml: cannot be read: No such file or directory"),
        ({}, ("--config", "pod.yaml"), "pod.yaml: apiVersion: unknown field"),
        ({}, ("--namespace-labels", "a"), "--namespace-labels: takes key=value pairs with commas between them, not 'a'"),
        ({}, ("--kube-version", "new"), "--kube-version: takes a Kubernetes version such as 1.36, not 'new'"),
    ],
)
def test_bad_input_is_named_with_its_path(command: Command, files: dict[str, str], arguments: tuple[str, ...], said: str) -> None:
    status, out, err = command(*arguments, **files)

    assert status == 2
    assert out == ""
    assert err.startswith(f"llmobs inject: {said}")


def test_with_a_dedicated_collector_pods_send_to_their_own(command: Command) -> None:
    status, out, _ = command(policy=f"{POLICY}spec: {{collector: {{mode: Dedicated}}}}\n")
    [container] = yaml.safe_load(out)["spec"]["containers"]

    assert status == 0
    assert {"name": "LLMOBS_ENDPOINT", "value": "http://llmobs-gateway-checkout.default.svc:4318"} in container["env"]


@pytest.mark.parametrize(
    ("language", "variable", "url"),
    [
        ("python", "LLMOBS_ENDPOINT", "http://agent.team.svc:4318/otlp/"),
        ("sdk", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://agent.team.svc:4318/otlp/v1/traces"),
    ],
)
def test_with_an_external_collector_pods_send_there(command: Command, language: str, variable: str, url: str) -> None:
    collector = "{mode: External, endpoint: 'http://agent.team.svc:4318/otlp/'}"
    status, out, _ = command(policy=f"{POLICY}spec: {{collector: {collector}, injection: {{languages: [{language}]}}}}\n")
    [container] = yaml.safe_load(out)["spec"]["containers"]

    assert status == 0
    assert {"name": variable, "value": url} in container["env"]
    assert "llmobs-gateway" not in out
