"""The address of a backend: the field, the rules that keep traces from going astray, and the bases of configurations that have it."""

from __future__ import annotations

import re
from dataclasses import MISSING, dataclass
from typing import Any

from llmobs.catalogue.backend import BackendConfig
from llmobs.kit.schema import Rule, prop, ruled

_SIGNAL = "/v1/(traces|metrics|logs)(/|$)"

_BASE = Rule(
    cel=f"!self.matches('{_SIGNAL}')",
    message="give the base URL; /v1/traces is appended to it",
    holds=lambda url: url is None or re.search(_SIGNAL, url) is None,
)

_H = "[0-9a-fA-F]{1,4}"
_ELIDED = "|".join(rf"({_H}:){{1,{7 - after}}}(:{_H}){{1,{after}}}" for after in range(1, 7))
_IPV6 = rf"(({_H}:){{7}}{_H}|{_ELIDED}|({_H}:){{1,7}}:|:((:{_H}){{1,7}}|:))"
"""An address in hexadecimal; ``::`` stands for the zeros left out, once."""
_HOST = rf"([a-zA-Z0-9]([-_.a-zA-Z0-9]*[a-zA-Z0-9])?|\[{_IPV6}\])"
_PATH = r"(/([-a-zA-Z0-9._~!&'()*+,;=:@/]|%[0-9a-fA-F]{2})*)?"
URL = rf"^https?://{_HOST}(:[0-9]{{1,5}})?{_PATH}$"
"""A host by name or address, a port and a path; no user, which would be a credential in the open, and no query.

What Go cannot parse as a URL would keep the whole gateway from starting."""


def url(default: Any = MISSING) -> Any:
    """A field for the base URL of a receiver; required without ``default``."""
    return prop(default, pattern=URL, max_length=2048, rules=(_BASE,))


_INSIDE = "^http://(localhost|[^./:]+|[^/:]+[.](svc|cluster[.]local|localhost))(:[0-9]+)?(/.*)?$"


def secure(field: str, *, what: str) -> Rule:
    """The rule on a configuration that nothing of it goes to the outside in clear text unasked; ``field`` holds the URL."""

    def holds(config: Any) -> bool:
        address = getattr(config, field)
        return address is None or config.insecure or address.startswith("https://") or re.search(_INSIDE, address) is not None

    return Rule(
        cel=f"!has(self.{field}) || (has(self.insecure) && self.insecure) || self.{field}.startsWith('https://') || "
        f"self.{field}.matches('{_INSIDE}')",
        message=f"http:// to a host outside the cluster sends {what} in clear text; use https://, or a Service's name that ends in .svc, "
        "or say insecure: true",
        holds=holds,
        path=field,
    )


SECURE = secure("endpoint", what="traces")

ONE_PLACE = Rule(
    cel="!has(self.region) || !has(self.endpoint)",
    message="region is for the hosted product and endpoint for an installation of your own; set one of them",
    holds=lambda c: c.region is None or c.endpoint is None,
    path="endpoint",
)


@ruled(SECURE)
@dataclass(frozen=True, kw_only=True)
class Addressed(BackendConfig):
    """A receiver that is somewhere of its own."""

    endpoint: str = url()
    """Base URL of the receiver, without /v1/traces."""
    insecure: bool = prop(False)
    """Allow http:// to a host outside the cluster. Default false."""


@ruled(SECURE)
@dataclass(frozen=True, kw_only=True)
class Hosted(BackendConfig):
    """A hosted product that may also be installed elsewhere."""

    endpoint: str | None = url(None)
    """Base URL of an installation of your own, without /v1/traces; absent means the hosted product."""
    insecure: bool = prop(False)
    """Allow http:// to a host outside the cluster. Default false."""
