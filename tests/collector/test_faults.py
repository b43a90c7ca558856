"""Restarts, crashes, full queues and dead backends: what is lost, what is not, and that no call is counted twice."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from llmobs.plan.collector.exporters import FOLDER

from tests.collector.conftest import inputs
from tests.collector.gateway import Gateway, until
from tests.collector.spans import current, export, span
from tests.collector.test_golden import SMALL
from tests.fakes.otlp import OTLPReceiver

CALL = current("gpt-4o", 10, 1)
DISK = {"gateway": {"queueOnDisk": "64Mi"}}


def plan(*receivers: OTLPReceiver, settings: Any = None) -> Any:
    backends = [{"name": f"b{number}", "otlp": {"endpoint": item.url, "insecure": True}} for number, item in enumerate(receivers)]
    return inputs({"team/p": {"backends": backends}}, settings=settings, prices=SMALL)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "queue").mkdir()
    return tmp_path


def gateway(otelcol: str, folder: Path, given: Any, **more: Any) -> Gateway:
    return Gateway(otelcol, folder, given, credentials={FOLDER: str(folder / "queue")}, **more)


def batch(number: int, size: int) -> list[dict[str, Any]]:
    return [span(CALL, name=f"c{number}-{index}") for index in range(size)]


class Client:
    """Sends until it is told that what it sent was taken, as an SDK does, and then never again."""

    def __init__(self, target: Gateway) -> None:
        self.target = target
        self.tries = 0

    def send(self, spans: list[dict[str, Any]]) -> None:
        body = export({"peer.k8s.namespace.name": "team"}, spans)

        def taken() -> bool:
            self.tries += 1
            try:
                self.target.post(body)
            except OSError:
                return False
            return True

        assert until(taken)


def counted(found: Gateway) -> float:
    return found.value("llm_calls_total", k8s_namespace="team")


def test_twenty_thousand_calls_over_a_restart_are_counted_once_and_arrive_once(otelcol: str, folder: Path, tmp_path: Path) -> None:
    """A rollout: the old pod leaves the Service, is read once more and then told to end; clients never pause."""
    (tmp_path / "new").mkdir()
    with OTLPReceiver() as receiver:
        given = plan(receiver)
        with gateway(otelcol, folder, given) as old, gateway(otelcol, tmp_path / "new", given) as new:
            client = Client(old)
            with ThreadPoolExecutor(4) as senders:
                sent = [senders.submit(client.send, batch(number, 200)) for number in range(100)]
                assert until(lambda: sum(item.done() for item in sent) >= 50)
                client.target = new
                assert all(item.result() is None for item in sent)
            assert until(lambda: counted(old) + counted(new) >= 20_000)
            before = counted(old)
            old.process.terminate()
            assert receiver.wait(lambda r: len(r.spans) >= 20_000)
            assert before + counted(new) == 20_000
            assert 0 < before < 20_000
        assert len({item.span_id for item in receiver.spans}) == len(receiver.spans) == 20_000


@pytest.fixture
def crashed(request: pytest.FixtureRequest, otelcol: str, folder: Path) -> Iterator[tuple[Gateway, OTLPReceiver]]:
    """A gateway that was killed while 2,000 spans waited for a backend that was away, and started anew; the backend is back."""
    with OTLPReceiver(status=503) as receiver:
        given = plan(receiver, settings=request.param)
        with gateway(otelcol, folder, given) as first:
            for number in range(10):
                first.send(*batch(number, 200), namespace="team")
            first.calls("team", 2000)
            assert counted(first) == 2000
            assert until(lambda: len(receiver.requests) > 0 and first.own("otelcol_exporter_queue_size") > 0)
            first.kill()
        receiver.status = 200
        with gateway(otelcol, folder, given) as second:
            yield second, receiver


@pytest.mark.parametrize("crashed", [DISK], indirect=True, ids=["disk"])
def test_a_killed_collector_with_queues_on_disk_loses_no_trace_and_counts_none_again(crashed: tuple[Gateway, OTLPReceiver]) -> None:
    second, receiver = crashed

    assert receiver.wait(lambda r: len({item.span_id for item in r.spans}) == 2000), len(receiver.spans)
    assert counted(second) == 0
    second.send(*batch(99, 5), namespace="team")
    second.calls("team", 5)
    assert counted(second) == 5


@pytest.mark.parametrize("crashed", [{}], indirect=True, ids=["memory"])
def test_a_killed_collector_with_queues_in_memory_loses_what_waited_and_counts_none_again(crashed: tuple[Gateway, OTLPReceiver]) -> None:
    second, receiver = crashed
    second.send(span(CALL, name="after"), namespace="team")

    assert receiver.wait(lambda r: any(item.name == "after" for item in r.spans))
    assert [item.name for item in receiver.spans] == ["after"]
    assert counted(second) == 1


def small_queue(config: dict[str, Any]) -> None:
    for name, item in config["exporters"].items():
        if name.startswith("otlp_http"):
            item["sending_queue"].update(queue_size=50, batch={"flush_timeout": "1s", "min_size": 10, "max_size": 10})


def test_a_full_queue_never_makes_a_client_send_again(otelcol: str, folder: Path) -> None:
    with OTLPReceiver(status=503) as receiver, gateway(otelcol, folder, plan(receiver), change=small_queue) as found:
        client = Client(found)
        for number in range(20):
            client.send(batch(number, 50))

        assert until(lambda: counted(found) >= 1000)
        assert until(lambda: found.own("otelcol_exporter_enqueue_failed_spans") > 0)
        assert client.tries == 20
        assert counted(found) == 1000


def no_memory(config: dict[str, Any]) -> None:
    config["processors"]["memory_limiter"] = {"check_interval": "100ms", "limit_mib": 4, "spike_limit_mib": 1}


def test_what_is_refused_for_want_of_memory_was_not_counted(otelcol: str, folder: Path) -> None:
    with OTLPReceiver() as receiver, gateway(otelcol, folder, plan(receiver), change=no_memory) as found:

        def refused() -> bool:
            try:
                found.post(export({"peer.k8s.namespace.name": "team"}, batch(0, 1)))
            except OSError as error:
                return "503" in str(error)
            return False

        assert until(refused)
        taken = counted(found)
        before = found.own("otelcol_receiver_refused_spans")
        assert refused()
        assert found.own("otelcol_receiver_refused_spans") == before + 1
        assert counted(found) == taken


def hurried(config: dict[str, Any]) -> None:
    """Ten minutes in ten seconds: every interval a sixtieth."""
    for name, item in config["exporters"].items():
        if name.startswith("otlp_http"):
            item["retry_on_failure"].update(initial_interval="17ms", max_interval="500ms", max_elapsed_time="5s")


def test_a_backend_that_is_dead_for_long_loses_its_own_traces_visibly_and_nothing_else(otelcol: str, folder: Path) -> None:
    with (
        OTLPReceiver(status=503) as dead,
        OTLPReceiver() as well,
        gateway(otelcol, folder, plan(dead, well), change=hurried) as found,
    ):
        for number in range(10):
            found.send(*batch(number, 20), namespace="team")
        assert well.wait(lambda r: len(r.spans) == 200)
        assert until(lambda: found.own("otelcol_exporter_send_failed_spans") >= 200)
        assert found.own("otelcol_exporter_send_failed_spans") == 200
        assert found.own("otelcol_exporter_queue_size") == 0
        assert counted(found) == 200

        dead.status = 200
        found.send(span(CALL, name="back"), namespace="team")
        assert dead.wait(lambda r: [item.name for item in r.spans] == ["back"])
        assert counted(found) == 201
