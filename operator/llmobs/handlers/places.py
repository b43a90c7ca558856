"""What admission knows of a namespace, compiled once for all who look at it."""

from __future__ import annotations

from llmobs.handlers.context import Context
from llmobs.handlers.reader import View
from llmobs.inject.compiled import Platform, compiled
from llmobs.inject.select import NEWEST, Namespace, namespace


def platform(context: Context) -> Platform:
    """What is the same for all policies of this installation."""
    return Platform(settings=context.settings, namespace=context.namespace)


def placed(context: Context, view: View, name: str) -> Namespace:
    """A namespace with its policies, or with a fleet's defaults; the same object as long as nothing it depends on changed."""
    labels, asks, version = context.world.labels.get(name, {}), context.world.asks.get(name, {}), context.facts.version or NEWEST
    known = context.places.get(name)
    if known is not None and known[0] is view and (known[1].labels, known[1].asks, known[1].version) == (labels, asks, version):
        return known[1]
    made = [compiled(item, platform(context)) for item in view.within.get(name, ())]
    place = namespace(name, labels, made, version=version, asks=asks)
    context.places[name] = view, place
    return place
