"""The collector's configuration: pure data from what is planned, and its text."""

from __future__ import annotations

from typing import Any

import yaml

from llmobs.api import names
from llmobs.plan.collector import components as c
from llmobs.plan.collector import exporters, hashing, identity, metered, policies, remotewrite, rollup, rooms, routing, sampling, series
from llmobs.plan.collector.doubles import once
from llmobs.plan.collector.normalise import normalise
from llmobs.plan.collector.observe import observe
from llmobs.plan.collector.ottl import Expanded
from llmobs.plan.collector.price import price
from llmobs.plan.collector.privacy import privacy
from llmobs.plan.collector.runs import price_runs
from llmobs.plan.collector.selfmetrics import selfmetrics
from llmobs.plan.collector.sizes import mebibytes
from llmobs.plan.inputs import Inputs

ADDRESS = "${env:MY_POD_IP:-127.0.0.1}"
"""Where everything listens: the pod's address, which other pods reach; on a developer's machine the loopback."""

BARRIER = f"{c.BATCH}/barrier"
"""Nothing behind it can fail a client's request, or a retry would count the same calls again. It also makes one stream of all
requests: the processor that adds up counts drops what comes out of order."""

UNTRUST, POLICY, NORMALISE, PRICE, ONCE, OBSERVE, RUNS, PRIVACY = (
    f"{c.TRANSFORM}/{name}" for name in ("untrust", "policy", "normalise", "price", "once", "observe", "runs", "privacy")
)


def config(inputs: Inputs, *, namespace: str = "", name: str = names.GATEWAY) -> dict[str, Any]:
    """The configuration as plain data, ready to be written: every ``$`` that is not ours is doubled.

    ``namespace`` is the only one that it serves; empty for all. ``name`` is what the gateway is called.
    """
    writers = remotewrite.writers(inputs, alone=bool(namespace))
    job = remotewrite.Job(name, namespace or inputs.facts.namespace, inputs.settings.gateway.scrape_interval, ADDRESS)
    routes = policies.routes(inputs.governing)
    sampled = sampling.sampled(inputs.governing)
    sinks = {sink.handle: sink for group in routes.values() for sink in group}
    ordered = [sinks[handle] for handle in sorted(sinks)]
    disk = inputs.settings.gateway.queue_on_disk
    extensions = {
        c.HEALTH_CHECK: {"endpoint": _listen(names.HEALTH_PORT)},
        **exporters.extensions(ordered, disk),
        **remotewrite.extensions(writers),
    }
    made = {
        "extensions": extensions,
        "receivers": {
            c.OTLP: _otlp(largest_request(inputs.settings.dedicated.memory if namespace else inputs.settings.gateway.memory)),
            **remotewrite.receivers(writers, job),
        },
        "processors": {
            **_processors(inputs, namespace),
            **(routing.processors(routes, sampled=sampled) if routes else {}),
            **remotewrite.processors(writers),
        },
        "connectors": {
            **series.connectors(series.bounds(inputs), metered=policies.metering(inputs.governing)),
            **series.doors(series.bounds(inputs), _rooms(inputs)),
            **(rollup.connectors() if policies.rolling(inputs.governing) else {}),
            **(routing.connectors(routes, sampled=sampled) if routes else {}),
        },
        "exporters": {
            c.PROMETHEUS: series.prometheus(_listen(names.METRICS_PORT)),
            **exporters.exporters(ordered, disk),
            **remotewrite.exporters(writers),
        },
        "service": {
            "extensions": list(extensions),
            "telemetry": _telemetry(),
            "pipelines": {
                **_pipelines(inputs, namespace, out=bool(routes)),
                **(routing.pipelines(routes, sampled=sampled) if routes else {}),
                **remotewrite.pipelines(writers),
            },
        },
    }
    escaped: dict[str, Any] = _escaped(c.spoken(made, inputs.settings.images.release))
    return escaped


def text(inputs: Inputs, *, namespace: str = "", name: str = names.GATEWAY) -> str:
    """The configuration as YAML; one line for each statement, however long."""
    return yaml.dump(config(inputs, namespace=namespace, name=name), Dumper=_Dumper, sort_keys=False, width=10**9, allow_unicode=True)


class _Dumper(yaml.SafeDumper):
    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002
        """Repeats equal parts: anchors would be named by chance."""
        return True


def _listen(port: int) -> Expanded:
    return Expanded(f"[{ADDRESS}]:{port}")  # brackets serve IPv6 and do IPv4 no harm


def _escaped(value: Any) -> Any:
    """The one place where text is kept from being expanded: ``$`` is doubled, except in what we mean to be expanded."""
    if isinstance(value, dict):
        return {key: _escaped(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_escaped(item) for item in value]
    if isinstance(value, str):
        return str(value) if isinstance(value, Expanded) else value.replace("$", "$$")
    return value


def largest_request(memory: str) -> int:
    """Mebibytes of a request, unpacked, that a gateway with this memory takes.

    A value may hold values that hold values: each level takes 8 bytes of a request, and up to 1 KiB of memory while it is read. Beyond
    half a million levels Go ends the process, whatever its memory.
    """
    return max(1, min(4, mebibytes(memory) // 256))


def _otlp(largest: int) -> dict[str, Any]:
    return {
        "protocols": {
            "grpc": {
                "endpoint": _listen(names.OTLP_GRPC_PORT),
                "max_recv_msg_size_mib": largest,
                # one connection sticks to one pod behind a Service: let it end now and then
                "keepalive": {"server_parameters": {"max_connection_age": "60s", "max_connection_age_grace": "30s"}},
            },
            "http": {"endpoint": _listen(names.OTLP_HTTP_PORT), "max_request_body_size": largest * 2**20},
        }
    }


def _processors(inputs: Inputs, namespace: str) -> dict[str, Any]:
    return {
        c.MEMORY_LIMITER: {"check_interval": "1s", "limit_percentage": 80, "spike_limit_percentage": 20},
        UNTRUST: identity.untrust(),
        **{name: identity.k8s_attributes(place) for name, place in _watched(inputs, namespace).items()},
        POLICY: identity.policy(inputs),
        NORMALISE: normalise(),
        PRICE: price(inputs.prices),
        ONCE: once(),
        OBSERVE: observe(),
        RUNS: price_runs(inputs.prices),
        PRIVACY: privacy(policies.contents(inputs.governing)),
        **hashing.processors(policies.contents(inputs.governing)),
        BARRIER: {"timeout": "200ms", "send_batch_size": 512, "send_batch_max_size": 2048},
        **series.processors(series.bounds(inputs), _rooms(inputs)),
        **(_metered(inputs) if policies.metering(inputs.governing) else {}),
        **(rollup.processors() if policies.rolling(inputs.governing) else {}),
    }


def _watched(inputs: Inputs, namespace: str) -> dict[str, str]:
    """The processors that find pods, with the namespace of each: one looks into one, or into all.

    None for a namespace that is absent: a collector that may not read one would wait for it and then not start.
    """
    if namespace:
        return {c.K8S_ATTRIBUTES: namespace}
    places = [place for place in inputs.settings.watch.places if place not in inputs.facts.absent]
    return {f"{c.K8S_ATTRIBUTES}/{place}" if place else c.K8S_ATTRIBUTES: place for place in places}


def _metered(inputs: Inputs) -> dict[str, Any]:
    return {
        metered.UNTRUST: identity.untrust_metrics(),
        metered.POLICY: identity.policy_of_metrics(inputs),
        **metered.filters(),
        metered.NOTE: metered.note(inputs.prices),
        metered.FORGET: metered.forget(),
    }


def _rooms(inputs: Inputs) -> tuple[str, ...]:
    return rooms.numbers(rooms.rooms(inputs.governing))


def _telemetry() -> dict[str, Any]:
    return {"logs": {"level": "warn", "encoding": "json"}, "metrics": selfmetrics(Expanded(ADDRESS))}


def _pipelines(inputs: Inputs, namespace: str, *, out: bool) -> dict[str, Any]:
    return {
        "traces/in": {
            "receivers": [c.OTLP],
            "processors": [
                *(c.MEMORY_LIMITER, UNTRUST, *_watched(inputs, namespace), POLICY, PRIVACY),
                *hashing.processors(policies.contents(inputs.governing)),
                *(NORMALISE, PRICE, ONCE, OBSERVE, RUNS),
                *((metered.FORGET,) if policies.metering(inputs.governing) else ()),
                BARRIER,
            ],
            "exporters": [*_counters(inputs), *([routing.OUT] if out else [])],
        },
        **(rollup.pipelines(series.OBSERVED) if policies.rolling(inputs.governing) else {}),
        **(_metrics(inputs, namespace) if policies.metering(inputs.governing) else {}),
        **series.pipelines(series.bounds(inputs), _rooms(inputs)),
    }


def _counters(inputs: Inputs) -> list[str]:
    """Where spans are counted; what is rolled up is counted with the rest."""
    every = list(series.connectors(series.bounds(inputs)))
    if not policies.rolling(inputs.governing):
        return every
    return [*(item for item in every if item != series.OBSERVED), rollup.OUT, rollup.IN]


def _metrics(inputs: Inputs, namespace: str) -> dict[str, Any]:
    """What is counted from metrics; they go nowhere else, and without a policy that asks for it they are not taken at all."""
    watched = _watched(inputs, namespace)
    before = (c.MEMORY_LIMITER, metered.UNTRUST, *watched, metered.POLICY, metered.UNASKED, metered.CUMULATIVE)
    return {"metrics/in": {"receivers": [c.OTLP], "processors": [*before, metered.NOTE, BARRIER], "exporters": [c.SIGNAL_TO_METRICS]}}
