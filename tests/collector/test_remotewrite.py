"""Series pushed to real Prometheus servers: the same as those that are read, exact, alive while quiet, and no namespace's but its own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from llmobs.plan import collector
from llmobs.plan.collector.remotewrite import POD
from llmobs.plan.inputs import Inputs
from llmobs.plan.rules import bare_groups, queries

from tests.collector import gateway as running
from tests.collector.conftest import inputs, sent_to
from tests.collector.gateway import Gateway, free_ports
from tests.collector.spans import current, span
from tests.collector.test_golden import SMALL
from tests.collector.writing import LOOKBACK, WRITE, podmonitored, prometheus
from tests.fakes.loopback import Answering, Loopback
from tests.fakes.otlp import OTLPReceiver
from tests.rules.live import Prometheus

PODS = ("llmobs-gateway-5f6d7-one", "llmobs-gateway-5f6d7-two")
PRICE = (10 * 2.5 + 1 * 10) / 1e6
"""US dollars of a call of gpt-4o with ten tokens in and one out."""
SPENT = 'sum(llm_cost_usd_total{{k8s_namespace="{}"}})'
CALLS = 'sum(llm_calls_total{{k8s_namespace="{}"}})'
SETTINGS = {"gateway": {"scrapeInterval": "1s"}, "clusterName": "east"}


class _Refuses(Answering):
    def do_POST(self) -> None:
        self.body()
        self.answer(b"no such tenant", status=404)


class _Hangs(Answering):
    def do_POST(self) -> None:
        self.rfile.read()  # until the client gives up


def written(name: str, url: str, **more: Any) -> dict[str, Any]:
    """A destination for series."""
    return {"name": name, "prometheusremotewrite": {"url": url + WRITE, "insecure": True}, **more}


def named(*destinations: str) -> list[dict[str, Any]]:
    return [{"name": name, "destination": name} for name in destinations]


@dataclass
class Place:
    """Two namespaces and two pods of a gateway. Namespace a names a receiver of its own and three that take nothing; one gets all."""

    given: Inputs
    own: Prometheus
    whole: Prometheus
    traces: OTLPReceiver
    first: Gateway
    second: Gateway
    sent: dict[str, int]

    def call(self, through: Gateway, namespace: str, count: int = 1, model: str = "gpt-4o") -> None:
        through.send(*(span(current(model, 10, 1)) for _ in range(count)), namespace=namespace)
        self.sent[namespace] = self.sent.get(namespace, 0) + count

    def shows(self, at: Prometheus, namespace: str) -> bool:
        """Whether calls and money of a namespace are those that were sent."""
        count = self.sent[namespace]
        return at.value(CALLS.format(namespace)) == count and at.value(SPENT.format(namespace)) == pytest.approx(PRICE * count, abs=1e-12)


@pytest.fixture(scope="module")
def place(otelcol: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder, [closed] = tmp_path_factory.mktemp("written"), free_ports(1)
    with ExitStack() as stack:
        own = stack.enter_context(prometheus(folder / "own", impatient=True))
        traces = stack.enter_context(OTLPReceiver())
        wrong, slow = (stack.enter_context(Loopback(kind)) for kind in (_Refuses, _Hangs))

        def given(whole: str) -> Inputs:
            offered = [written("mine", f"http://{own.address}"), written("whole", whole, allSeries=True)]
            ill = {"wrong": wrong.url, "slow": slow.url, "dead": f"http://127.0.0.1:{closed}"}
            offered += [written(name, url) for name, url in ill.items()]
            asked = {"backends": [*named("mine", *ill), *sent_to(traces)], "budgets": [{"name": "b", "period": "Month", "limitUSD": 1}]}
            made = inputs({"a/p": asked, "b/p": {}}, fleet={"destinations": offered}, settings=SETTINGS, prices=SMALL)
            # money by tiles of five seconds, so that it takes one minute and not an hour
            return replace(made, settings=replace(made.settings, rules=replace(made.settings.rules, tile="5s")))

        # the rules do not depend on where series go
        whole = stack.enter_context(prometheus(folder / "whole", rules=bare_groups(given("http://localhost"))))
        made, gateways = given(f"http://{whole.address}"), []
        for pod in PODS:
            (folder / pod).mkdir()
            with pytest.MonkeyPatch.context() as patch:
                patch.setenv(POD, pod)
                gateways.append(stack.enter_context(Gateway(otelcol, folder / pod, made)))
        for gateway in gateways:  # one that ends waits for what hangs
            stack.callback(gateway.kill)
        yield Place(made, own, whole, traces, *gateways, sent={})


def test_calls_and_money_arrive_exactly(place: Place) -> None:
    place.whole.wait("the rules know the gateway", lambda: place.whole.value('count(up{namespace="llmobs-system"} == 1)') == 4)
    place.call(place.first, "a", 7)
    place.call(place.first, "b", 3)

    place.own.wait("calls of a", lambda: place.shows(place.own, "a"))
    for namespace in "ab":
        place.whole.wait("calls of both", lambda space=namespace: place.shows(place.whole, space))


def test_series_of_two_pods_add_up(place: Place) -> None:
    place.call(place.second, "a", 5)

    for at in (place.own, place.whole):
        at.wait("calls of both pods", lambda to=at: place.shows(to, "a"))
        assert {item["pod"] for item in at.samples('llm_calls_total{k8s_namespace="a"}')} == set(PODS)


def test_a_series_that_is_quiet_stays(place: Place) -> None:
    series = f'llm_calls_total{{pod="{PODS[1]}"}}'
    told = f"count_over_time({series}[1m]) > {3 * LOOKBACK}"
    place.own.wait("it is told of long after the last call", lambda: place.own.value(told))

    place.own.wait("it is there", lambda: place.own.value(series) == 5)
    assert place.own.value(f"changes({series}[1m])") == 0


def test_series_are_those_that_a_prometheus_reads(place: Place, tmp_path: Path) -> None:
    """Names, labels and values of all that the two pages hold; bounds of buckets as numbers, because Prometheus rewrites what it reads."""

    def told(at: Prometheus, names: str) -> set[tuple[tuple[str, str], ...]]:
        every = at.samples(f'{{__name__=~"{names}",pod="{PODS[0]}"}}')
        return {tuple(sorted((key, value.removesuffix(".0") if key == "le" else value) for key, value in item.items())) for item in every}

    names = "up|llm_.+|otelcol_.+|http_server_.+"
    [part] = collector.parts(place.given)
    [monitor] = [item for item in part.manifests if item["kind"] == "PodMonitor"]
    with prometheus(tmp_path / "reads", jobs=[podmonitored(monitor, place.first.ports, PODS[0])]) as reads:
        reads.wait("both pages are read", lambda: reads.value("count(up == 1)") == 2)
        reads.wait("series are the same", lambda: told(reads, names) == told(place.whole, names))

        assert len(told(reads, "llm_.+")) > 20
        assert told(reads, "http_server_request_duration_count")
        total = f'sum({{__name__=~"llm_.+",pod="{PODS[0]}"}})'
        assert reads.value(total) == pytest.approx(place.whole.value(total), rel=1e-12)


def test_a_namespace_sees_series_of_its_own_and_nothing_else(place: Place) -> None:
    place.own.wait("calls of a", lambda: place.shows(place.own, "a"))
    found = place.own.get("series", **{"match[]": '{__name__!=""}'})

    assert found
    assert {item["k8s_namespace"] for item in found} == {"a"}
    assert not [item for item in found if not item["__name__"].startswith("llm_")]


def test_receivers_that_take_nothing_hurt_nobody_and_are_seen(place: Place) -> None:
    def failing(name: str) -> bool:
        pending = f'ALERTS{{alertname="LLMCollectorExportFailing",exporter="prometheus_remote_write/{name}",namespace="llmobs-system"}}'
        return bool(place.whole.samples(pending))

    for name in ("wrong", "slow", "dead"):
        place.whole.wait(f"the alert about {name}", lambda ill=name: failing(ill))
    place.call(place.first, "a", 2)

    place.own.wait("calls of a", lambda: place.shows(place.own, "a"))
    assert place.traces.wait(lambda kept: len(kept.spans) == place.sent["a"])


def test_a_restart_is_a_reset_and_rules_there_count_on(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    spent = 'llm_budget_spent_usd{namespace="a",budget="b"}'
    still = f"changes({spent}[15s]) == 0 and count_over_time({spent}[15s]) > 10"

    def since(calls: int) -> bool:
        return place.whole.value(spent) == pytest.approx(before + PRICE * calls, abs=1e-9)

    place.whole.wait("rules count new counters", lambda: place.whole.value(queries.WATCHED))
    place.whole.wait("the money of what was sent before stands still", lambda: place.whole.samples(still))
    before = place.whole.value(spent) or 0
    place.call(place.first, "a", 3)
    place.whole.wait("what was spent", lambda: since(3))
    monkeypatch.setattr(running, "free_ports", lambda _: [place.first.ports[key] for key in ("http", "grpc", "metrics", "self", "health")])
    monkeypatch.setenv(POD, PODS[0])
    place.first.kill()
    place.first.__enter__()
    place.call(place.first, "a", 4)

    place.whole.wait("what was spent since", lambda: since(7))
    assert place.whole.value(f'max(resets(llm_calls_total{{k8s_namespace="a",pod="{PODS[0]}"}}[5m]))') == 1
    bad = [rule for part in place.whole.get("rules")["groups"] for rule in part["rules"] if rule["health"] == "err"]
    assert bad == []
