"""Every operation is checked against the pod: what does not fit is a Misfit, never a patch that is sent."""

from __future__ import annotations

import json
from typing import Any

import pytest
from llmobs.inject.patch import OPEN, Block, Misfit, Operation, appending, check, encoded, entries, pointer
from llmobs.inject.pod import decode

POD = {
    "metadata": {"labels": {"a/b": "1"}},
    "spec": {
        "containers": [{"name": "app", "env": [{"name": "A", "value": "1"}, {"name": "B"}]}, {"name": "bare"}],
        "volumes": [],
    },
}


def verify(*operations: tuple[str, str, Any]) -> None:
    check(decode(json.dumps(POD).encode()), [Operation(*operation) for operation in operations])


@pytest.mark.parametrize(
    "operations",
    [
        [("add", "/spec/volumes/-", {})],
        [("add", "/spec/initContainers", [{}]), ("add", "/spec/initContainers/0", {}), ("add", "/spec/initContainers/2", {})],
        [("add", "/spec/containers/0/env/0", {}), ("add", "/spec/containers/0/env/-", {})],
        [("add", "/spec/containers/1/env", [{}]), ("add", "/spec/containers/1/env/-", {})],
        [("add", "/spec/containers/0/env/1/value", "x")],
        [("replace", "/spec/containers/0/env/0/value", "x"), ("replace", "/spec/containers/0/env/1/name", "C")],
        [("add", "/metadata/labels/c", "1"), ("replace", "/metadata/labels/a~1b", "2")],
        [("add", "/metadata/annotations", {"a": "1"}), ("add", "/metadata/annotations/b", "1")],
    ],
)
def test_what_fits(operations: list[tuple[str, str, Any]]) -> None:
    verify(*operations)


@pytest.mark.parametrize(
    "operations",
    [
        [("add", "/spec/volumes", [])],
        [("add", "/spec/initContainers/-", {})],
        [("add", "/spec/containers/0/env/3", {})],
        [("add", "/spec/containers/0/env/x", {})],
        [("add", "/spec/containers/0/env", [])],
        [("add", "/spec/containers/0/env/0/value", "x")],
        [("add", "/spec/containers/0/env/2/value", "x")],
        [("add", "/spec/containers/1/env/-", {})],
        [("add", "/spec/containers/2/env", [])],
        [("add", "/metadata/labels/a~1b", "2")],
        [("add", "/metadata/labels", {})],
        [("add", "/metadata/annotations/b", "1")],
        [("add", "/spec/hostNetwork", True)],
        [("replace", "/metadata/labels/c", "1")],
        [("replace", "/spec/containers/0/env/1/value", "x")],
        [("replace", "/spec/containers/0/env/2/name", "x")],
        [("replace", "/spec/containers/0/name", "x")],
        [("replace", "/spec/volumes", [])],
        [("add", "/spec/containers/0/env/0", {}), ("replace", "/spec/containers/0/env/0/value", "x")],
        [("add", "/spec/initContainers", [{}]), ("add", "/spec/initContainers", [{}])],
    ],
)
def test_what_does_not_fit(operations: list[tuple[str, str, Any]]) -> None:
    with pytest.raises(Misfit):
        verify(*operations)


def test_an_insertion_moves_what_follows_so_paths_below_it_are_refused() -> None:
    pod = {"metadata": {}, "spec": {"initContainers": [{"name": "a", "env": []}], "containers": []}}
    operations = [Operation("add", "/spec/initContainers/0", {}), Operation("add", "/spec/initContainers/0/env/-", {})]

    with pytest.raises(Misfit):
        check(decode(json.dumps(pod).encode()), operations)


def test_keys_are_escaped() -> None:
    assert pointer("metadata", "labels", "a~b/c") == "/metadata/labels/a~0b~1c"
    assert json.loads(encoded([Operation("add", "/a", 1)])) == [{"op": "add", "path": "/a", "value": 1}]


def test_a_block_is_the_same_text_as_its_operations() -> None:
    values = [{"name": "A", "value": 'a "quoted" \u0000 zero'}, {"name": "B"}]
    plain = [Operation("add", "/spec/containers/0/env/-", value) for value in values]
    marks = {"a/b~c": "1", "d": "2"}

    assert encoded([appending("/env", values).at("/spec/containers/0")]) == encoded(plain)
    assert encoded([appending("/env", []).at("/spec/containers/0")]) == b"[]"
    keys = [Operation("add", pointer("metadata", "annotations", key), value) for key, value in marks.items()]
    assert encoded([entries("/metadata/annotations", marks)]) == encoded(keys)


def test_a_value_left_open_is_filled_in_where_it_stands() -> None:
    values = [{"name": "A", "value": "\u0001"}, {"name": "B", "value": OPEN}, {"name": "C", "value": "x"}]
    filled = [values[0], {"name": "B", "value": 'of "this" pod\x00'}, values[2]]
    plain = [Operation("add", "/spec/containers/7/env/-", value) for value in filled]

    assert encoded([appending("/env", values).at("/spec/containers/7", 'of "this" pod\x00')]) == encoded(plain)


@pytest.mark.parametrize("count", [32, 33, 50])
def test_however_many_containers_each_has_its_place(count: int) -> None:
    containers = [{"name": f"c{number}", "env": [{"name": "A"}] * number} for number in range(count)]
    pod = decode(json.dumps({"metadata": {}, "spec": {"containers": containers}}).encode())

    check(pod, [Operation("add", f"/spec/containers/{number}/env/{number}", {}) for number in range(count)])
    with pytest.raises(Misfit):
        check(pod, [Operation("add", f"/spec/containers/{count}/env/-", {})])


def fits(*operations: Operation | Block) -> None:
    check(decode(json.dumps(POD).encode()), operations)


def test_a_block_that_fits_counts_for_what_follows() -> None:
    two = appending("/env", [{"name": "C"}, {"name": "D"}])

    fits(two.at("/spec/containers/0"), Operation("add", "/spec/containers/0/env/4", {}), entries("/metadata/labels", {"c": "1"}))


@pytest.mark.parametrize(
    "operations",
    [
        [appending("/env", [{}]).at("/spec/containers/1")],
        [appending("/env", [{}]).at("/spec/containers/2")],
        [entries("/metadata/annotations", {"a": "1"})],
        [entries("/metadata/labels", {"c": "1", "a/b": "2"})],
        [entries("/metadata/labels", {"c": "1"}), entries("/metadata/labels", {"c": "1"})],
        [appending("/env", [{}]).at("/spec/containers/0"), Operation("add", "/spec/containers/0/env/4", {})],
    ],
)
def test_a_block_is_checked_as_its_operations_are(operations: list[Operation | Block]) -> None:
    with pytest.raises(Misfit):
        fits(*operations)
