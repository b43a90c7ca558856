"""Where traces and series go: every receiver that a policy names, once, and the sets of receivers that policies share."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass

from llmobs.api import names
from llmobs.api.effective import Policy
from llmobs.catalogue.backend import BackendConfig, Exporter, SecretRef
from llmobs.catalogue.backends import backend_of, secret_of, takes_series

CREDENTIALS = "/etc/llmobs/credentials"


@dataclass(frozen=True)
class Sink:
    """One receiver."""

    handle: str
    """Its name in the configuration; the same for equal receivers of several namespaces."""
    config: BackendConfig

    @property
    def secret(self) -> SecretRef | None:
        """The Secret of the gateway's namespace that holds its credentials."""
        return secret_of(self.config)

    @property
    def series(self) -> bool:
        """Whether it takes series, and no traces."""
        return takes_series(backend_of(self.config))

    @property
    def folder(self) -> str:
        """Where its Secret is mounted."""
        return f"{CREDENTIALS}/{self.handle}"

    @property
    def exporter(self) -> Exporter:
        """The exporter that sends to it."""
        made = backend_of(self.config).exporter(self.config, self.folder)
        assert isinstance(made, Exporter)  # noqa: S101 - what every backend module promises
        return made


def sinks_of(policy: Policy, policies: Iterable[Policy]) -> tuple[Sink, ...]:
    """The receivers of one policy, sorted. ``policies`` are all of them: a destination's name may mean two things in one cluster."""
    every = {(item.name, distinct(item.config)) for other in policies for item in other.destinations}
    twice = {name for name, _ in every if sum(1 for other, _ in every if other == name) > 1}
    named = {item.name: item.config for item in policy.destinations}
    found: dict[str, Sink] = {}
    for backend in policy.spec.backends:
        if backend.destination is not None:
            config = named[backend.destination]
            handle = f"{backend.destination}_{distinct(config)}" if backend.destination in twice else backend.destination
            found[handle] = Sink(handle, config)
        elif backend.config is not None:
            handle = f"own_{distinct(backend.config)}"
            found[handle] = Sink(handle, backend.config)
    return tuple(found[handle] for handle in sorted(found))


def route(sinks: Iterable[Sink]) -> str:
    """The name of a set of receivers; empty for none."""
    return names.bounded(".".join(sink.handle for sink in sinks), 200)


def distinct(config: BackendConfig) -> str:
    """A short word that only equal configurations share."""
    return names.short(f"{type(config).__module__} {json.dumps(asdict(config), sort_keys=True, default=str)}", 8)
