"""No flag is documented and ignored: each command's every flag changes what the command does or says."""

from __future__ import annotations

import argparse
import contextlib
import importlib
import io
import json
import logging
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from llmobs.cli.program import COMMANDS, program
from llmobs.cluster.calls import Arrival, Telemetry

POLICY = "apiVersion: llmobs.dev/v1alpha1\nkind: LLMObservability\nmetadata: {name: chat, namespace: team}\nspec: {%s}\n"
POD = "apiVersion: v1\nkind: Pod\nmetadata: {name: p, namespace: team, labels: {app: %s}}\nspec: {containers: [{name: c, image: i}]}\n"
KUBECONFIG = {
    "apiVersion": "v1",
    "kind": "Config",
    "current-context": "here",
    "contexts": [{"name": name, "context": {"cluster": "c", "user": "u", "namespace": name}} for name in ("here", "there")],
    "clusters": [{"name": "c", "cluster": {"server": "http://127.0.0.1:1"}}],
    "users": [{"name": "u", "user": {}}],
}
FILES = {
    "policy.yaml": POLICY % "",
    "optin.yaml": POLICY % "injection: {mode: OptIn}",
    "pod.yaml": POD % "a",
    "other.yaml": POD % "b",
    "whole.yaml": (POD % "a").replace("image: i}]", "image: i, resources: {requests: {cpu: 1}}}], resources: {requests: {cpu: 2}}"),
    "config.yaml": json.dumps({"images": {"runtime": "mirror/runtime:1", "collector": "mirror/collector:1"}}),
    "kubeconfig": json.dumps(KUBECONFIG),
    "other": json.dumps({**KUBECONFIG, "current-context": "there"}),
}
INJECT, WHOLE = ("inject", "-f=pod.yaml", "-p=policy.yaml"), ("inject", "-f=whole.yaml", "-p=policy.yaml")
RENDER, WHY = ("render", "-f=policy.yaml"), ("why", "pod/p", "--kubeconfig=kubeconfig")
WEBHOOK, LABEL = ("webhook", "--tls-cert=c", "--tls-key=k"), ("--namespace-labels=llmobs.dev/inject=true",)

Case = tuple[tuple[str, ...], tuple[str, ...]]
CASES: dict[str, Case] = {
    "inject --filename": (INJECT, ("inject", "-f=other.yaml", "-p=policy.yaml")),
    "inject --policies": (INJECT, ("inject", "-f=pod.yaml", "-p=optin.yaml")),
    "inject --namespace-labels": (("inject", "-f=pod.yaml", "-p=optin.yaml"), ("inject", "-f=pod.yaml", "-p=optin.yaml", *LABEL)),
    "inject --kube-version": (WHOLE, (*WHOLE, "--kube-version=1.20")),
    "inject --explain": (INJECT, (*INJECT, "--explain")),
    "inject --output": (INJECT, (*INJECT, "-o=patch")),
    "inject --config": (INJECT, (*INJECT, "--config=config.yaml")),
    "inject --operator-namespace": (INJECT, (*INJECT, "--operator-namespace=elsewhere")),
    "render --filename": (RENDER, (*RENDER, "-f=optin.yaml")),
    "render --output": (RENDER, (*RENDER, "-o=out")),
    "render --only": (RENDER, (*RENDER, "--only=rules")),
    "render --config": (RENDER, (*RENDER, "--config=config.yaml")),
    "render --operator-namespace": (RENDER, (*RENDER, "--operator-namespace=elsewhere")),
    "generate --root": (("generate", "--root=a"), ("generate", "--root=b")),
    "generate --check": (("generate", "--root=a"), ("generate", "--root=a", "--check")),
    "why target": (WHY, ("why", "pod/q", "--kubeconfig=kubeconfig")),
    "why --namespace": (WHY, (*WHY, "-n=team")),
    "why --kubeconfig": (WHY, ("why", "pod/p", "--kubeconfig=other")),
    "why --context": (WHY, (*WHY, "--context=there")),
    "why --prometheus": (WHY, (*WHY, "--prometheus=http://prometheus")),
    "why --output": (WHY, (*WHY, "-o=json")),
    "run --kubeconfig": (("run",), ("run", "--kubeconfig=kubeconfig")),
    "run --namespace": (("run",), ("run", "--namespace=elsewhere")),
    "run --config": (("run",), ("run", "--config=config.yaml")),
    "run --once": (("run",), ("run", "--once")),
    "run --metrics-port": (("run",), ("run", "--metrics-port=1")),
    "run --metrics-host": (("run",), ("run", "--metrics-host=127.0.0.1")),
    "run --verbose": (("run",), ("run", "--verbose")),
    "webhook --policies": (WEBHOOK, (*WEBHOOK, "--policies=.")),
    "webhook --kubeconfig": (WEBHOOK, (*WEBHOOK, "--kubeconfig=kubeconfig")),
    "webhook --tls-cert": (WEBHOOK, (*WEBHOOK, "--tls-cert=d")),
    "webhook --tls-key": (WEBHOOK, (*WEBHOOK, "--tls-key=l")),
    "webhook --port": (WEBHOOK, (*WEBHOOK, "--port=1")),
    "webhook --metrics-port": (WEBHOOK, (*WEBHOOK, "--metrics-port=1")),
    "webhook --host": (WEBHOOK, (*WEBHOOK, "--host=127.0.0.1")),
    "webhook --config": (WEBHOOK, (*WEBHOOK, "--config=config.yaml")),
    "webhook --namespace": (WEBHOOK, (*WEBHOOK, "--namespace=elsewhere")),
}


class Cluster:
    """Answers as an API server that has every pod and nothing else; says what it was asked."""

    async def get(self, kind: Any, name: str, *, namespace: str = "") -> dict[str, Any]:
        print("asked for", kind.kind, name, namespace)
        meta = {"name": name, "namespace": namespace, "labels": {}}
        return {"metadata": meta, "spec": {"containers": [{"name": "c", "image": "i"}]}}

    async def list(self, kind: Any, *, namespace: str = "", labels: str = "") -> tuple[list[dict[str, Any]], str]:
        return [], "1"

    async def request(self, method: str, path: str) -> dict[str, Any]:
        return {"gitVersion": "v1.36.0"}


@contextlib.asynccontextmanager
async def connected(kubeconfig: str | None = None, *, context: str | None = None) -> AsyncIterator[Cluster]:
    print("connected by", kubeconfig, context)
    yield Cluster()


async def arrival(url: str, *, namespace: str, workload: str) -> Arrival:
    return Arrival(Telemetry.UNKNOWN, f"asked {url}")


def _source(source: Any) -> str:
    return json.dumps({"kind": type(source).__name__, **vars(source)}, default=str)


@pytest.fixture
def told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[tuple[str, ...]], str]:
    """Everything a command says and writes; servers say what they were to serve, and do not."""

    async def serve(options: Any) -> int:
        print(options, logging.getLogger().level)
        return 0

    async def once(options: Any) -> int:
        print("once", options)
        return 0

    monkeypatch.setattr("llmobs.handlers.operator.run", serve)
    monkeypatch.setattr("llmobs.handlers.operator.once", once)
    monkeypatch.setattr("llmobs.webhook.server.serve", lambda source, *more, listening: print(_source(source), *more))
    monkeypatch.setattr("llmobs.cli.why.connected", connected)
    monkeypatch.setattr("llmobs.cli.why.arrival", arrival)
    monkeypatch.chdir(tmp_path)

    def call(arguments: tuple[str, ...]) -> str:
        for name, text in FILES.items():
            Path(name).write_text(text)
        before = {path for path in Path().rglob("*") if path.is_file()}
        said = io.StringIO()
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
            code = program(arguments)
        written = sorted(str(path) for path in Path().rglob("*") if path.is_file() and path not in before)
        return f"{code} {said.getvalue()} {written}"

    return call


def flags(command: str) -> set[str]:
    parser = argparse.ArgumentParser()
    subparsers = parser.add_subparsers()
    importlib.import_module(f"llmobs.cli.{command}").add(subparsers)
    actions = (action for action in subparsers.choices[command]._actions if action.dest != "help")
    return {f"{command} {max(action.option_strings, key=len, default=action.dest)}" for action in actions}


def test_every_flag_has_its_case() -> None:
    assert set().union(*map(flags, COMMANDS)) == set(CASES)


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_a_flag_is_honoured(case: Case, told: Callable[[tuple[str, ...]], str]) -> None:
    without, given = case
    root = logging.getLogger()
    level, handlers = root.level, root.handlers[:]
    try:
        assert told(without) != told(given)
    finally:
        root.setLevel(level)
        root.handlers[:] = handlers


def test_why_asks_in_the_namespace_of_the_context(told: Callable[[tuple[str, ...]], str]) -> None:
    assert "asked for Pod p here" in told(WHY)
    assert "asked for Pod p there" in told((*WHY, "--context=there"))
