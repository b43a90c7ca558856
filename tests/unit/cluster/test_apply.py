"""What counts as a difference between what is wanted and what is there."""

from typing import Any

import pytest
from llmobs.api import names
from llmobs.cluster.apply import changed, covers, stamped
from llmobs.cluster.kinds import FLEET_KINDS, rank, ref

WANTED = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", "namespace": "n", "labels": {"x": "y"}}, "data": {"k": "v"}}


@pytest.mark.parametrize(
    ("live", "wanted", "same"),
    [
        ({"a": 1, "b": 2}, {"a": 1}, True),
        ({"a": 1}, {"a": 2}, False),
        ({}, {"a": 1}, False),
        ({}, {"a": {}, "b": [], "c": "", "d": None, "e": 0, "f": False}, True),
        ({"a": [{"b": 1, "added": 2}]}, {"a": [{"b": 1}]}, True),
        ({"a": [1, 2]}, {"a": [1]}, False),
        ({"a": [2, 1]}, {"a": [1, 2]}, False),
        ({"a": "text"}, {"a": {"b": 1}}, False),
    ],
)
def test_what_is_wanted_must_be_there_and_more_may_be(live: Any, wanted: Any, same: bool) -> None:
    assert covers(live, wanted) is same


def test_the_stamp_depends_on_content_and_owner() -> None:
    def mark(manifest: dict[str, Any], owner: dict[str, Any] | None = None) -> str:
        return str(stamped(manifest, owner)["metadata"]["annotations"][names.APPLIED])

    assert mark(WANTED) == mark({**WANTED})
    assert mark(WANTED) != mark({**WANTED, "data": {"k": "w"}})
    assert mark(WANTED) != mark(WANTED, {"uid": "u"})
    assert "annotations" not in WANTED["metadata"]


def test_new_changed_and_drifted_objects_are_applied_and_others_not() -> None:
    wanted = stamped(WANTED, None)
    assert changed(wanted, None)
    assert not changed(wanted, {**wanted, "status": {}})
    assert changed(wanted, {**wanted, "data": {"k": "by hand"}})
    assert changed(wanted, WANTED)


def test_what_others_refer_to_comes_first() -> None:
    order = [kind.kind for kind in FLEET_KINDS]
    assert order.index("ServiceAccount") < rank({"kind": "RoleBinding"}) < order.index("Deployment")
    assert order.index("ConfigMap") < order.index("Deployment")
    assert rank({"kind": "ConfigMap"}) == order.index("ConfigMap")


def test_objects_are_called_as_people_write_them() -> None:
    assert str(ref(WANTED)) == "ConfigMap n/a"
    space = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "r", "namespace": "ignored"}}
    assert str(ref(space)) == "Namespace r"
