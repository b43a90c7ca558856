"""The configuration files of the daemons, filled in from templates/."""

from __future__ import annotations

from pathlib import Path
from string import Template

from cluster import settings as at
from cluster.settings import Settings

_TEMPLATES = Path(__file__).parent / "templates"


def rendered(name: str, settings: Settings, **more: str) -> str:
    """A template with the cluster's addresses and places; raises KeyError for a name nobody gives."""
    values = {
        "STATE": str(settings.state),
        "CGROUP": settings.cgroup,
        "GUARD": guard(settings),
        "NODE": at.NODE,
        "NODE_IP": at.NODE_IP,
        "POD_CIDR": at.POD_CIDR,
        "API_PORT": str(at.API_PORT),
        "DNS_READY_PORT": str(at.DNS_READY_PORT),
    }
    return Template((_TEMPLATES / name).read_text()).substitute(values, **more)


def guard(settings: Settings) -> str:
    """The nftables table that keeps pods inside."""
    return f"{settings.cgroup}-guard"
