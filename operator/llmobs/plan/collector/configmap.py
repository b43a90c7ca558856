"""The ConfigMap with the configuration: immutable, and named by its content, so that old pods keep theirs."""

from __future__ import annotations

from llmobs.api import names
from llmobs.plan.collector.config import text
from llmobs.plan.collector.site import Site
from llmobs.plan.inputs import Manifest

FILE = "config.yaml"

LARGEST = 1_000_000
"""Bytes of a configuration that still fits into a ConfigMap with its metadata."""


def configmap(site: Site) -> Manifest:
    """The ConfigMap ``<gateway>-<hash>``."""
    content = text(site.inputs, namespace=site.namespace if site.confined else "", name=site.name)
    name = names.bounded(f"{site.name}-{names.short(content)}")
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": site.metadata(name), "immutable": True, "data": {FILE: content}}
