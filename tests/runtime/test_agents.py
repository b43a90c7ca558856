"""Pods that another agent instruments too: with ours first on the path it works as without us, and each call reaches the gateway once.

The agents are the real ones, started as their operators start them: by a sitecustomize on PYTHONPATH.
"""

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.fakes.loopback import Answering, Loopback
from tests.runtime import machine
from tests.runtime.pod import Pod

APPLICATION = """
    import sys
    import anthropic, openai
    openai.OpenAI().chat.completions.create(model="gpt-4o", messages=[{"role": "user", "content": "the-prompt"}])
    anthropic.Anthropic().messages.create(model="claude-sonnet-4-6", max_tokens=9, messages=[{"role": "user", "content": "the-prompt"}])
    print(getattr(sys.modules.get("own"), "runs", 0), file=sys.stderr)
"""
OWN = "import sys, types; own = sys.modules.setdefault('own', types.ModuleType('own')); own.runs = getattr(own, 'runs', 0) + 1"


@dataclass
class Agents:
    """A pod into which agents were injected beside us, their folder, and the application's own sitecustomize."""

    pod: Pod
    folder: Path
    own: Path

    def run(self, bootstrap: str, report: str = "", **environ: str) -> tuple[str, str]:
        """What the application prints without us and with us; its errors, and how often its own sitecustomize ran, are the same."""
        path = [str(self.pod.bundle), str(self.folder / bootstrap), str(self.own), str(self.folder)]
        environ["PYTHONPATH"] = ":".join(path)
        code = APPLICATION + report
        without = self.pod.run(code, **environ, LLMOBS_ENDPOINT="")
        assert self.pod.gateway.requests == []
        done = self.pod.run(code, **environ)
        assert (done.status, without.status) == (0, 0), done.err
        assert done.err == without.err
        return without.out, done.out

    def told_once(self) -> None:
        """Each call reached the gateway once, as this pod's, without content."""
        spans = self.pod.spans(2)
        assert sorted(span.name for span in spans) == ["chat claude-sonnet-4-6", "chat gpt-4o"]
        assert all(span.attributes["gen_ai.usage.input_tokens"] >= 1000 for span in spans)
        assert {span.resource["team"] for span in spans} == {"payments,emea"}
        assert b"the-prompt" not in self.pod.gateway.raw


@pytest.fixture
def agents(pod: Pod, tmp_path: Path) -> Agents:
    (tmp_path / "sitecustomize.py").write_text(OWN)
    folder = next((machine.environment("agents").parent.parent / "lib").glob("python*/site-packages"))
    return Agents(pod, folder, tmp_path)


def test_opentelemetry(agents: Agents) -> None:
    """Its provider is the global one and instruments OpenAI: those calls are taken from it, Anthropic's are ours."""
    variables = {"OTEL_TRACES_EXPORTER": "console", "OTEL_METRICS_EXPORTER": "none", "OTEL_LOGS_EXPORTER": "none"}
    variables["OTEL_RESOURCE_ATTRIBUTES"] = "service.name=theirs"
    outputs = agents.run("opentelemetry/instrumentation/auto_instrumentation", **variables)
    exported = [[json.loads(part) for part in out.replace("}\n{", "}\0{").split("\0")] for out in outputs]
    for spans in exported:
        (call,) = [span for span in spans if span["name"] == "chat gpt-4o"]
        assert (call["kind"], call["parent_id"], call["attributes"]["gen_ai.usage.input_tokens"]) == ("SpanKind.CLIENT", None, 1000)
        assert call["resource"]["attributes"]["service.name"] == "theirs"
    without, joined = [[(span["name"], span["kind"], sorted(span["attributes"])) for span in spans] for spans in exported]
    assert without == joined
    agents.told_once()


class DatadogAgent(Loopback):
    """Takes traces as Datadog's agent does, and counts them."""

    def __init__(self) -> None:
        self.counts: list[int] = []
        super().__init__(DatadogHandler)


class DatadogHandler(Answering):
    """Answers one connection."""

    server: DatadogAgent

    def do_PUT(self) -> None:
        """Take one delivery."""
        self.body()
        self.server.counts.append(int(self.headers.get("X-Datadog-Trace-Count", 0)))
        self.answer(b"{}")

    do_POST = do_GET = do_PUT


@pytest.fixture
def datadog() -> Iterator[DatadogAgent]:
    with DatadogAgent() as server:
        yield server


def test_datadog(agents: Agents, datadog: DatadogAgent) -> None:
    """It is no provider of OpenTelemetry's; it traces both calls and keeps its traces, and both are ours too."""
    off = ["DD_INSTRUMENTATION_TELEMETRY_ENABLED", "DD_REMOTE_CONFIGURATION_ENABLED", "DD_CRASHTRACKING_ENABLED", "DD_TRACE_STARTUP_LOGS"]
    variables = {**dict.fromkeys(off, "false"), "DD_TRACE_AGENT_URL": datadog.url}
    report = "    print('ddtrace' in sys.modules, 'ddtrace.contrib.internal.openai.patch' in sys.modules)"
    without, done = agents.run("ddtrace/bootstrap", report, **variables)
    assert without == done == "True True\n"
    assert [count for count in datadog.counts if count] == [2, 2]
    agents.told_once()


def test_new_relic(agents: Agents) -> None:
    """It wraps both libraries; in the mode that needs no account it sends nothing."""
    prefix = str(agents.pod.python.parent.parent)
    variables = {
        "NEW_RELIC_LICENSE_KEY": "0" * 40,
        "NEW_RELIC_APP_NAME": "chat",
        "NEW_RELIC_DEVELOPER_MODE": "true",
        "NEW_RELIC_LOG": "/dev/null",
        "NEW_RELIC_PYTHON_PREFIX": prefix,
        "NEW_RELIC_PYTHON_VERSION": f"{sys.version_info[0]}.{sys.version_info[1]}",
    }
    report = "    print(sys.modules['newrelic.config']._settings.developer_mode, 'newrelic.hooks.mlmodel_openai' in sys.modules)"
    without, done = agents.run("newrelic/bootstrap", report, **variables)
    assert without == done == "True True\n"
    agents.told_once()
