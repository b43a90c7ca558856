"""Pods of every shape, as plain data, for property tests."""

from __future__ import annotations

import copy
from typing import Any

from hypothesis import strategies as st

NAMES = ("app", "worker", "proxy", "migrate", "wait")
WORDS = st.text(alphabet="abc$()%=,:/ üñ", max_size=8)
QUANTITIES = {"cpu": ("1", "100m", "0.5", "2", "10m"), "memory": ("64Mi", "128Mi", "1Gi", "100M", "1e8", "20Mi")}


def maybe(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | strategy


def without_none(value: dict[str, Any]) -> dict[str, Any]:
    return {key: item for key, item in value.items() if item is not None}


def objects(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(fields).map(without_none)


_reference = st.just({"configMapKeyRef": {"name": "settings", "key": "path"}})
_variable = st.one_of(
    objects(name=st.sampled_from(["PYTHONPATH", "ORIGINAL_PYTHONPATH", "LLMOBS_ENDPOINT", "EXTRA", "A"]), value=maybe(WORDS)),
    objects(name=st.sampled_from(["PYTHONPATH", "A", "LLMOBS_POD_NAME"]), valueFrom=_reference),
    st.just({"name": "PYTHONPATH", "value": "/llmobs/python"}),
)
_figures = objects(cpu=maybe(st.sampled_from(QUANTITIES["cpu"])), memory=maybe(st.sampled_from(QUANTITIES["memory"])))


@st.composite
def _resources(draw: st.DrawFn) -> dict[str, Any]:
    limits = draw(maybe(_figures))
    kind = draw(st.sampled_from(["equal", "own", "none"]))
    requests = {"equal": limits, "own": draw(_figures), "none": None}[kind]
    return without_none({"limits": limits, "requests": requests})


_mount = st.sampled_from(
    [
        {"name": "tmp", "mountPath": "/tmp"},
        {"name": "own", "mountPath": "/llmobs"},
        {"name": "own", "mountPath": "/llmobs/python/x"},
        {"name": "llmobs-python", "mountPath": "/llmobs", "readOnly": True},
        {"name": "data", "mountPath": "/data", "readOnly": False},
    ]
)


def _container(name: str) -> st.SearchStrategy[dict[str, Any]]:
    return objects(
        name=st.just(name),
        image=st.sampled_from(["app", "registry:5000/a/app:1.2", "app@sha256:0a1b", "registry:5000/app"]),
        env=maybe(st.lists(_variable, max_size=5)),
        envFrom=maybe(st.just([{"configMapRef": {"name": "settings"}}])),
        volumeMounts=maybe(st.lists(_mount, max_size=2, unique_by=lambda item: item["mountPath"])),
        resources=maybe(_resources()),
        ports=maybe(st.sampled_from([[{"containerPort": 8080}], [{"containerPort": 8080}], [{"containerPort": 24318}]])),
        args=maybe(st.lists(WORDS, max_size=2)),
        restartPolicy=maybe(st.just("Always")),
    )


_volume = st.sampled_from(
    [
        {"name": "tmp", "emptyDir": {}},
        {"name": "data", "persistentVolumeClaim": {"claimName": "data"}},
        {"name": "llmobs-python", "emptyDir": {"sizeLimit": "1Gi"}},
        {"name": "llmobs-python", "hostPath": {"path": "/srv"}},
    ]
)
_labels = st.dictionaries(st.sampled_from(["app", "llmobs.dev/inject", "app.kubernetes.io/name", "a~b/c"]), st.sampled_from(["true", "x"]))
_annotations = st.dictionaries(
    st.sampled_from(
        [
            "cluster-autoscaler.kubernetes.io/safe-to-evict-local-volumes",
            "resource.opentelemetry.io/team",
            "resource.opentelemetry.io/service.name",
            "note",
        ]
    ),
    WORDS,
    max_size=3,
)
_owner = st.sampled_from(
    [
        [{"kind": "ReplicaSet", "name": "api-5d4f", "controller": True}],
        [{"kind": "Job", "name": "nightly-29700000", "controller": True}],
        [{"kind": "Rollout", "name": "api", "controller": True}],
    ]
)


@st.composite
def pods(draw: st.DrawFn) -> dict[str, Any]:
    """A pod that an API server could send, of any shape that matters to injection."""
    names = draw(st.lists(st.sampled_from(NAMES), min_size=1, max_size=5, unique=True))
    cut = draw(st.integers(1, len(names)))
    inits = [draw(_container(name)) for name in names[cut:]]
    spec = {
        "containers": [draw(_container(name)) for name in names[:cut]],
        "initContainers": inits or draw(st.sampled_from([None, []])),
        "volumes": draw(maybe(st.lists(_volume, max_size=3, unique_by=lambda item: item["name"]))),
        "hostNetwork": draw(st.sampled_from([None, None, None, False, True])),
        "resources": draw(st.sampled_from([None, None, None, {}, {"limits": {"cpu": "1"}}])),
        "restartPolicy": draw(st.sampled_from([None, None, "Always", "Never", "OnFailure"])),
        "shareProcessNamespace": draw(maybe(st.booleans())),
    }
    meta = objects(name=maybe(st.just("api")), labels=maybe(_labels), annotations=maybe(_annotations), ownerReferences=maybe(_owner))
    # A copy, because the parts that are chosen from are the same objects in every example.
    return copy.deepcopy({"apiVersion": "v1", "kind": "Pod", "metadata": draw(meta), "spec": without_none(spec)})


policies = st.fixed_dictionaries(
    {},
    optional={
        "collector": st.sampled_from([{"mode": "Shared"}, {"mode": "Sidecar"}, {"mode": "Sidecar"}]),
        "attributes": st.dictionaries(st.sampled_from(["team", "service.name", "a b"]), WORDS, max_size=2),
        "injection": st.fixed_dictionaries(
            {},
            optional={
                "mode": st.sampled_from(["Auto", "OptIn"]),
                "vectorStores": st.booleans(),
                "env": st.lists(
                    st.sampled_from(
                        [{"name": "EXTRA", "value": "x"}, {"name": "PYTHONPATH", "value": "/lib"}, {"name": "LLMOBS_LOG", "value": "info"}]
                    ),
                    max_size=3,
                    unique_by=lambda item: item["name"],
                ),
                "containers": st.fixed_dictionaries(
                    {},
                    optional={
                        "include": st.lists(st.sampled_from(NAMES), max_size=3, unique=True),
                        "exclude": st.lists(st.sampled_from(NAMES), max_size=1),
                    },
                ),
            },
        ),
    },
)
"""Specs of policies."""

json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**40), 2**40) | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
    max_leaves=12,
)
