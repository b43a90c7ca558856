"""The derived series pushed to receivers of Prometheus' remote write: the gateway reads its own page, as a Prometheus would.

What adds up tells of a series only when it changes, and whoever asks for one that was told five minutes ago finds nothing. A page that is
read tells every series each time, with the figures and labels that any Prometheus reads there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from llmobs.api import names
from llmobs.plan.collector import components as c
from llmobs.plan.collector import policies
from llmobs.plan.collector.ottl import Expanded, matches
from llmobs.plan.collector.podmonitor import PROTOCOLS
from llmobs.plan.collector.sinks import Sink, distinct
from llmobs.plan.inputs import Inputs

POD = "MY_POD_NAME"
"""Environment variable with the name of the gateway's pod."""

QUEUED = 2
"""Readings that wait for a receiver. They are totals, so that a later one makes up for any that is lost, and none is sent twice. They take
memory, and at its end a pod waits for each of them before it sends what is left of the traces."""

TIMEOUT = "10s"
"""For one reading."""

OURS = f"{c.FILTER}/ours"
"""What reading tells of itself counts the series of all namespaces."""


@dataclass(frozen=True)
class Writer:
    """One receiver of series."""

    sink: Sink
    namespaces: tuple[str, ...] = ()
    """Whose series it gets; empty: everything that the gateway tells, of itself too."""

    @property
    def exporter(self) -> str:
        """The exporter's name in the configuration."""
        return f"{self.sink.exporter.type}/{self.sink.handle}"

    @property
    def receiver(self) -> str:
        """The receiver's name in the configuration."""
        return f"{c.PROMETHEUS}/{self.sink.handle}"


@dataclass(frozen=True)
class Job:
    """How the gateway is read, so that series have the labels which they get through its PodMonitor."""

    name: str
    namespace: str
    interval: str
    address: str
    """Where it listens."""


def writers(inputs: Inputs, *, alone: bool) -> tuple[Writer, ...]:
    """Every receiver, sorted. A gateway that serves one namespace ``alone`` has nothing to tell of all."""
    everything = () if alone else _everything(inputs)
    whole = [sink.config for sink in everything]
    named = policies.written(inputs.governing).values()
    parted = [Writer(sink, namespaces) for sink, namespaces in named if sink.config not in whole]
    return tuple(sorted((*map(Writer, everything), *parted), key=lambda writer: writer.sink.handle))


def _everything(inputs: Inputs) -> tuple[Sink, ...]:
    """The platform's destinations that get all series; of two with one name the first resource's, as for policies that name it."""
    every = {item.name: item for fleet in reversed(inputs.fleets) for item in fleet.spec.destinations}
    known = [item for policy in inputs.governing for item in policy.destinations]
    found = []
    for item in every.values():
        if item.all_series:
            taken = any(other.name == item.name and other.config != item.config for other in known)
            found.append(Sink(f"{item.name}_{distinct(item.config)}" if taken else item.name, item.config))
    return tuple(found)


def environment() -> tuple[dict[str, Any], ...]:
    """What the configuration reads from the pod's environment."""
    return ({"name": POD, "valueFrom": {"fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.name"}}},)


def extensions(found: Sequence[Writer]) -> dict[str, Any]:
    """The extensions that read credentials from mounted files."""
    proofs = ((writer.sink.handle, writer.sink.exporter.auth) for writer in found)
    return {f"{auth.type}/{handle}": dict(auth.settings) for handle, auth in proofs if auth}


def receivers(found: Sequence[Writer], job: Job) -> dict[str, Any]:
    """One reader for each receiver: what it does not get is never copied."""
    return {writer.receiver: {"config": {"scrape_configs": [_read(writer, job)]}} for writer in found}


def processors(found: Sequence[Writer]) -> dict[str, Any]:
    """What keeps namespaces from seeing more than series of their own."""
    if not any(writer.namespaces for writer in found):
        return {}
    return {OURS: {"error_mode": "silent", "metric_conditions": [f"not {matches('metric.name', '^llm_')}"]}}


def exporters(found: Sequence[Writer]) -> dict[str, Any]:
    """The exporters by their names in the configuration."""
    return {writer.exporter: _exporter(writer.sink) for writer in found}


def pipelines(found: Sequence[Writer]) -> dict[str, Any]:
    """A pipeline for each receiver, so that none waits for another."""
    return {
        f"metrics/write.{writer.sink.handle}": {
            "receivers": [writer.receiver],
            "processors": [c.MEMORY_LIMITER, *([OURS] if writer.namespaces else [])],
            "exporters": [writer.exporter],
        }
        for writer in found
    }


def _read(writer: Writer, job: Job) -> dict[str, Any]:
    every = {"metrics": names.METRICS_PORT, "self-metrics": names.SELF_METRICS_PORT}
    pages = {"metrics": names.METRICS_PORT} if writer.namespaces else every
    labels = {"namespace": job.namespace, "pod": Expanded(f"${{env:{POD}:-}}"), "container": "collector"}
    kept = {"source_labels": ["k8s_namespace"], "regex": "|".join(writer.namespaces), "action": "keep"}
    # it would take the place of job and instance, with an id that is another after each restart
    dropped = {"source_labels": ["__name__"], "regex": "target_info", "action": "drop"}
    return {
        "job_name": f"{job.namespace}/{job.name}",
        "scrape_interval": job.interval,
        "scrape_timeout": job.interval,
        "scrape_protocols": [*PROTOCOLS],
        "static_configs": [
            {"targets": [Expanded(f"{job.address}:{port}")], "labels": {**labels, "endpoint": page}} for page, port in pages.items()
        ],
        # an address of IPv6 stands in brackets before a port
        "relabel_configs": [
            {"source_labels": ["__address__"], "regex": "(.*:.*):([0-9]+)", "target_label": "__address__", "replacement": "[$1]:$2"}
        ],
        "metric_relabel_configs": [kept if writer.namespaces else dropped],
    }


def _exporter(sink: Sink) -> dict[str, Any]:
    made = sink.exporter
    return {
        **made.settings,
        **({"auth": {"authenticator": f"{made.auth.type}/{sink.handle}"}} if made.auth else {}),
        # names on the page are final
        "translation_strategy": "UnderscoreEscapingWithoutSuffixes",
        "target_info": {"enabled": False},
        "disable_scope_info": True,
        "timeout": TIMEOUT,
        "remote_write_queue": {"enabled": True, "queue_size": QUEUED},
        "retry_on_failure": {"enabled": False},
    }
