"""The ConfigMap with the configuration: immutable, and named by its content, so that old pods keep theirs."""

from __future__ import annotations

from llmobs.api import names
from llmobs.plan.collector.config import text
from llmobs.plan.collector.objects import metadata
from llmobs.plan.inputs import Inputs, Manifest

FILE = "config.yaml"

LARGEST = 1_000_000
"""Bytes of a configuration that still fits into a ConfigMap with its metadata."""


def configmap(inputs: Inputs) -> Manifest:
    """The ConfigMap ``llmobs-gateway-<hash>``."""
    content = text(inputs)
    name = f"{names.GATEWAY}-{names.short(content)}"
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata(inputs, name), "immutable": True, "data": {FILE: content}}
