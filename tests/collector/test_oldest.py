"""The oldest release of the collector that is supported, as a real binary: it takes what is rendered for it and counts the same."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from llmobs.plan import collector

from tests.collector.beside import command
from tests.collector.conftest import FULL, ROOT, inputs, sent_to
from tests.collector.gateway import Gateway, until
from tests.collector.points import call, durations, usage
from tests.collector.test_golden import CASES, SMALL, accepted, accepted_as
from tests.collector.test_recorded import BILLED, SENT, cost, counted, placed, space
from tests.fakes.otlp import OTLPReceiver

RELEASE = {"images": {"collectorVersion": "0.155.0"}}


@pytest.fixture(scope="module")
def oldest() -> str:
    asked = [sys.executable, str(ROOT / "tools/build.py"), "--which", "otelcol-oldest"]
    path = subprocess.run(asked, capture_output=True, text=True, check=False).stdout.strip()
    if not path:
        pytest.fail("there is no otelcol-oldest: run `make tools`", pytrace=False)
    return path


def rendered(folder: Path, settings: Any) -> Path:
    path = folder / "config.yaml"
    path.write_text(collector.text(inputs(prices=SMALL, **{**CASES["everything"], "settings": settings})), encoding="utf-8")
    return path


def test_it_is_that_release(oldest: str) -> None:
    assert "0.155.0" in subprocess.run([oldest, "--version"], capture_output=True, text=True, check=True).stdout


def test_it_takes_what_writes_series(oldest: str, tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(collector.text(inputs(prices=SMALL, **{**CASES["series-written"], "settings": RELEASE})), encoding="utf-8")

    assert accepted(oldest, path) == ""


@pytest.mark.parametrize("gateway", [{}, {"queueOnDisk": "1Gi"}], ids=["in memory", "on disk"])
def test_it_takes_what_is_rendered_for_it(oldest: str, tmp_path: Path, gateway: dict[str, str]) -> None:
    path = rendered(tmp_path, {**RELEASE, "gateway": gateway})
    # the folder of the queues is checked for, and is a mounted volume in a pod
    path.write_text(path.read_text().replace("/var/lib/llmobs/queue", str(tmp_path)))

    assert accepted(oldest, path) == ""


def test_it_takes_and_counts_metrics(oldest: str, tmp_path: Path) -> None:
    given = inputs({"a/p": {"collector": {"source": "Metrics"}}}, prices=SMALL, settings=RELEASE)
    with Gateway(oldest, tmp_path, given) as made:
        made.measure(durations(call("gpt-4o"), 0.3, 3.0), usage(call("gpt-4o"), [1000, 20], [5, 64]), namespace="a")
        made.calls("a", 2)

        assert summed(made, "llm_tokens_total", "token_type") == {"a input": 1020, "a output": 69}
        assert summed(made, "llm_call_duration_seconds_sum") == {"a": pytest.approx(3.3)}
        assert summed(made, "llm_cost_usd_total") == {"a": pytest.approx((1020 * 2.5 + 69 * 10) / 1e6, rel=0, abs=1e-9)}


def test_it_takes_the_collector_of_a_pod(oldest: str) -> None:
    spec = {"collector": {"mode": "Sidecar"}, "content": {"capture": "Masked", "userIds": "Drop"}}
    [policy] = inputs({"a/p": spec}, fleet=FULL).policies

    assert accepted_as(*command(oldest, policy)) == ""
    assert accepted_as(*command(oldest, policy, configured=False)) == ""


def test_it_would_refuse_the_names_of_today(oldest: str, tmp_path: Path) -> None:
    assert "delta_to_cumulative" in accepted(oldest, rendered(tmp_path, {}))


@pytest.fixture(scope="module")
def gateway(oldest: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    with OTLPReceiver() as kept:
        to = sent_to(kept)
        given = inputs({f"{space(key)}/only": {"backends": to} for key in SENT}, settings=RELEASE)
        with Gateway(oldest, tmp_path_factory.mktemp("oldest"), given) as made:
            for key in SENT:
                made.post(placed(SENT[key]["export"], space(key)))
            assert until(lambda: summed(made, "llm_calls_total").keys() >= set(map(space, SENT)))
            assert until(lambda: len({item.resource["k8s.namespace.name"] for item in kept.spans}) == len(SENT))
            yield made


def summed(gateway: Gateway, name: str, *by: str) -> dict[str, float]:
    """A series by namespace and further labels, read once: the page is long."""
    found: dict[str, float] = {}
    for labels, value in gateway.samples(name):
        key = " ".join(labels[label] for label in ("k8s_namespace", *by))
        found[key] = found.get(key, 0) + value
    return found


def test_every_recorded_call_counts_once_with_its_money_and_tokens(gateway: Gateway) -> None:
    assert summed(gateway, "llm_calls_total") == dict.fromkeys(map(space, SENT), 1)
    money = {key: value for key, value in summed(gateway, "llm_cost_usd_total").items() if value}
    assert money == pytest.approx({space(key): cost(key) for key in BILLED if cost(key)}, rel=0, abs=1e-9)
    tokens = {key: value for key, value in summed(gateway, "llm_tokens_total", "token_type").items() if value}
    assert tokens == {f"{space(key)} {kind}": count for key in BILLED for kind, count in counted(key).items()}
