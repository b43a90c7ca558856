"""The story: install, apply, look at the pod, count the money, see the alert."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import yaml
from binaries.failure import Failed

from demo import expected
from demo.ground import ROOT, Ground
from demo.kube import wait
from demo.pods import settled, shown, trouble, true
from demo.screen import difference, fact, heading, table

SYSTEM = "llmobs-system"
TEAM = "team-chat"
CHART = ROOT / "charts" / "llm-observability-operator"
POLICIES = ROOT / "examples" / "policies"
ALERT = "LLMBudgetExhausted"
SPANS = 'sum(max_over_time({__name__=~"otelcol_receiver_accepted_spans(_total)?"}[1h]))'
_SHOWN = Decimal("0.0001")  # a hundredth of a cent: half cents would round one way or the other by the last bit of a float


class Story:
    """Told step by step; ``result`` keeps what was seen, for the tests."""

    def __init__(self, ground: Ground) -> None:
        self.ground = ground
        self.kube = ground.kube
        self.result: dict[str, Any] = {}

    def tell(self) -> None:
        """Steps 2 to 4."""
        self.install()
        self.fleet()
        self.team()
        self.pod()
        stats = self.calls()
        self.money(stats)
        self.alert()
        self.look()

    def install(self) -> None:
        """Helm, our chart, our images."""
        heading(2, "The platform team installs the operator: one Helm chart")
        images = self.ground.images
        settings = [f"image.{key}={value}" for key, value in _image(images["operator"]).items()]
        settings += [f"images.python={images['python']}", f"images.collector={images['collector']}"]
        settings += [
            f"prometheus.url=http://{self.ground.prometheus.service.partition(':')[0]}.{self.ground.prometheus.namespace}.svc:9090"
        ]
        arguments = ["upgrade", "--install", "llmobs", str(CHART), "--namespace", SYSTEM, "--create-namespace"]
        self.kube.chart(
            *arguments, "-f", str(Path(__file__).with_name("values.yaml")), *(word for one in settings for word in ("--set", one))
        )
        fact(f"helm install llmobs charts/{CHART.name} -n {SYSTEM}")
        for name in ("controller", "webhook"):
            self._wait_for(f"llmobs-{name}", SYSTEM)
        fact("Money is counted in exact tiles of 5 minutes. Here the chart's value rules.tile is 1m, so that alerts come sooner.")

    def fleet(self) -> None:
        """ClusterLLMObservability, and the gateway and rules that follow."""
        heading(3, "It sets defaults and ceilings once; a shared collector and the fleet's rules follow")
        self.kube.apply(POLICIES / "fleet.yaml")
        self._wait_for("llmobs-gateway", SYSTEM)
        wait("Prometheus counts from here on", lambda: self.ground.prometheus.value("llm:watched"), seconds=180)

    def team(self) -> None:
        """The team's resource and its workloads."""
        heading(4, f"A team applies one LLMObservability in its namespace, and its workloads as they are ({TEAM})")
        manifests = (ROOT / "examples" / "chat" / "manifests.yaml").read_text(encoding="utf-8")
        documents = [one for one in yaml.safe_load_all(manifests) if one]
        namespaces = [one for one in documents if one["kind"] == "Namespace"]
        others = [_placed(one, self.ground.images["example"]) for one in documents if one["kind"] != "Namespace"]
        self.kube.run("apply", "-f", "-", stdin=yaml.safe_dump_all(namespaces))
        self.kube.apply(POLICIES / "team-chat.yaml")
        wait("the policy is served", lambda: true(self.kube.get("llmobs", "chat", "-n", TEAM), "Accepted"), seconds=60)
        self.kube.run("apply", "-f", "-", stdin=yaml.safe_dump_all(others))
        for name in ("chat", "worker"):
            self._wait_for(name, TEAM)

    def pod(self) -> None:
        """The template before, the running pod after; and what the workload without LLM pays."""
        heading(5, "What changed: the pod template as applied (-), the running pod (+)")
        template = self.kube.get("deployment", "chat", "-n", TEAM)["spec"]["template"]
        pod = self.kube.get("pods", "-n", TEAM, "-l", "app=chat")["items"][0]
        self.result["pod"] = pod
        difference(shown(template), shown(pod))
        worker = self.kube.get("pods", "-n", TEAM, "-l", "app=worker")["items"][0]
        idle = self.kube.pod(TEAM, f"{worker['metadata']['name']}:8080", "/healthz") or {}
        self.result["idle"] = idle
        fact(f"worker, which uses no LLM, is instrumented too and has {idle.get('telemetryModules')} modules of it loaded")

    def calls(self) -> dict[str, Any]:
        """Until the application has made its calls and the gateway has seen them."""
        heading(6, "The application calls three models; the gateway prices every call")
        stats = wait("the application makes its calls", self._stats, seconds=300, why=self._progress)
        total = expected.calls(stats)
        counted = f"sum({_ever('llm_calls_total')})"
        wait(
            "every call is counted",
            lambda: self.ground.prometheus.value(counted) == total or None,
            seconds=90,
            why=lambda: f"{self.ground.prometheus.value(counted)} of {total}",
        )
        # The collector's own figures stand on another port, which is read at another moment.
        wait(
            "every span is counted",
            lambda: (self.ground.prometheus.value(SPANS) or 0) >= total or None,
            seconds=90,
            why=lambda: f"{self.ground.prometheus.value(SPANS)} of {total}",
        )
        return stats

    def money(self, stats: dict[str, Any]) -> None:
        """Calls, tokens and cost per model against the figures worked out by hand."""
        prometheus, wanted = self.ground.prometheus, expected.cost(stats)
        costs = {
            row["metric"]["model"]: Decimal(row["value"][1]) for row in prometheus.query(f"sum by (model) ({_ever('llm_cost_usd_total')})")
        }
        tokens = prometheus.value(f"sum({_ever('llm_tokens_total')})")
        rows = [
            (model, str(stats["calls"][model]), _usd(costs.get(model, Decimal(0))), _usd(cost)) for model, cost in sorted(wanted.items())
        ]
        rows.append(("all", str(expected.calls(stats)), _usd(sum(costs.values(), Decimal(0))), _usd(sum(wanted.values(), Decimal(0)))))
        table(("model", "calls", "cost, measured", "by hand"), rows)
        spans = prometheus.value(SPANS)
        fact(f"spans: {spans:.0f} received by the gateway, one for each call" if spans is not None else "spans: none counted")
        fact(f"tokens: {tokens:.0f} measured, {expected.tokens(stats)} by hand" if tokens is not None else "tokens: none measured")
        self.result.update(
            costs={m: str(c) for m, c in costs.items()},
            expected={m: str(c) for m, c in wanted.items()},
            tokens=tokens,
            stats=stats,
            spans=spans,
        )
        if any(_usd(costs.get(model, Decimal(0))) != _usd(cost) for model, cost in wanted.items()):
            raise Failed("cost", "what was measured is not what the calls cost by hand")

    def alert(self) -> None:
        """The alert in Alertmanager."""
        heading(7, "The day's budget is spent; the alert reaches Alertmanager")
        found = wait(f"{ALERT} fires", self._alert, seconds=240, why=self._spent)
        labels, notes = found["labels"], found["annotations"]
        fact("  ".join(f"{key}={labels.get(key)}" for key in ("alertname", "severity", "namespace", "budget", "team")))
        fact(notes["summary"])
        fact(notes["description"])
        fact(f"runbook: {notes['runbook_url']}")
        self.result["alert"] = found

    def look(self) -> None:
        """What kubectl shows."""
        heading(8, "What anybody sees with kubectl")
        wait("status shows the spend", self._shown_spend, seconds=120)
        fact("$ kubectl get llmobs -A")
        fact(self.kube.run("get", "llmobs", "-A"))
        fact("$ kubectl get configmaps -A -l grafana_dashboard=1")
        fact(self.kube.run("get", "configmaps", "-A", "-l", "grafana_dashboard=1"))
        fact("$ kubectl get prometheusrules -A")
        fact(self.kube.run("get", "prometheusrules", "-A"))
        self.result["policy"] = self.kube.get("llmobs", "chat", "-n", TEAM)

    def _wait_for(self, name: str, namespace: str) -> None:
        wait(f"{name} is available", lambda: self._available(name, namespace), seconds=120, why=self._pods_of(namespace))

    def _available(self, name: str, namespace: str) -> bool:
        found = self.kube.get("deployment", name, "-n", namespace)
        return found is not None and settled(found)

    def _pods_of(self, namespace: str) -> Any:
        def why() -> str:
            pods = (self.kube.get("pods", "-n", namespace) or {}).get("items", [])
            return "; ".join(said for pod in pods if (said := trouble(pod))) or f"{len(pods)} pods"

        return why

    def _stats(self) -> dict[str, Any] | None:
        stats = self.kube.service(TEAM, "chat:http", "/stats")
        return stats if stats and stats["done"] else None

    def _progress(self) -> str:
        stats = self.kube.service(TEAM, "chat:http", "/stats")
        return f"{expected.calls(stats)} calls" if stats else "no answer yet"

    def _alert(self) -> dict[str, Any] | None:
        namespace, service = self.ground.alertmanager
        found = self.kube.service(namespace, service, f"/api/v2/alerts?filter=alertname%3D{ALERT}&filter=namespace%3D{TEAM}") or []
        return next((one for one in found if one["status"]["state"] == "active"), None)

    def _spent(self) -> str:
        spent = self.ground.prometheus.value(f'llm_budget_spent_usd{{namespace="{TEAM}",budget="daily"}}')
        return "nothing spent yet" if spent is None else f"{spent:.2f} USD of the day's budget spent"

    def _shown_spend(self) -> bool:
        """Status is written when money moves by a hundredth or a state changes: wait for the last of the spending."""
        status = (self.kube.get("llmobs", "chat", "-n", TEAM) or {}).get("status", {})
        total = sum(Decimal(cost) for cost in self.result["expected"].values())
        shown = Decimal(str(status.get("spend", {}).get("monthToDateUSD", 0)))
        return status.get("state") == "Exceeded" and abs(shown - total) <= total / 100


def _image(name: str) -> dict[str, str]:
    repository, _, tag = name.rpartition(":")
    return {"repository": repository, "tag": tag}


def _placed(manifest: dict[str, Any], image: str) -> dict[str, Any]:
    """The example's manifest with the image of this run."""
    text = json.dumps(manifest).replace("docker.io/llmobs/example-chat:demo", image)
    made: dict[str, Any] = json.loads(text)
    return made


def _ever(counter: str) -> str:
    """A counter's series of the last hour at their highest: those of gateway pods that a rollout has replaced are no longer current."""
    return f'max_over_time({counter}{{k8s_namespace="{TEAM}"}}[1h])'


def _usd(amount: Decimal) -> str:
    return f"{amount.quantize(_SHOWN)} USD"
