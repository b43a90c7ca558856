"""Sums stay exact when many clients send at once, and when nobody takes the traces."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.collector.conftest import inputs
from tests.collector.gateway import Gateway, free_ports
from tests.collector.spans import current, export, span

CLIENTS, REQUESTS, SPANS = 8, 40, 5
COST = (1000 * 2.5 + 100 * 10) / 1e6


@pytest.fixture(scope="module")
def gateway(start: Any) -> Gateway:
    dead = f"http://127.0.0.1:{free_ports(1)[0]}"
    return start(inputs({"busy/p": {"backends": [{"name": "dead", "otlp": {"endpoint": dead, "insecure": True}}]}}))


def test_concurrent_clients_lose_and_gain_nothing(gateway: Gateway) -> None:
    """One series fed by many requests at once: what is added up out of order would be dropped in silence."""
    peer = {"peer.k8s.namespace.name": "busy", "peer.k8s.deployment.name": "app"}

    def client(_: int) -> None:
        for _ in range(REQUESTS):
            gateway.post(export(peer, [span(current("gpt-4o", 1000, 100)) for _ in range(SPANS)]))

    with ThreadPoolExecutor(CLIENTS) as pool:
        list(pool.map(client, range(CLIENTS)))
    sent = CLIENTS * REQUESTS * SPANS
    gateway.calls("busy", sent)

    assert gateway.value("llm_calls_total", k8s_namespace="busy") == sent
    assert gateway.value("llm_cost_usd_total", k8s_namespace="busy") == pytest.approx(sent * COST, rel=1e-9)
    assert gateway.value("llm_call_duration_seconds_count", k8s_namespace="busy") == sent


def test_a_full_queue_does_not_make_a_client_send_again(gateway: Gateway) -> None:
    """The queue holds 20,000 spans; the client that gets an error sends again, and its calls would be counted twice."""
    peer = {"peer.k8s.namespace.name": "flood", "peer.llmobs.policy": "busy/p"}
    peer["peer.k8s.namespace.name"] = "busy"
    before = gateway.value("llm_calls_total", k8s_namespace="busy")
    batch = export(peer, [span(current("gpt-4o", 1000, 100)) for _ in range(1000)])

    for _ in range(25):
        gateway.post(batch)
    gateway.calls("busy", int(before) + 25_000)

    assert gateway.own("otelcol_exporter_enqueue_failed_spans") > 0
    assert gateway.value("llm_calls_total", k8s_namespace="busy") == before + 25_000
