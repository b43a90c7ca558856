"""Parsing the world: what is accepted, what is refused, and what serves in place of what turned bad."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from llmobs.api.memory import LARGEST, noted
from llmobs.api.settings import Settings
from llmobs.handlers.reader import Lists, Reader, View
from llmobs.handlers.world import Key, World
from llmobs.plan.collector.policies import by_namespace, by_policy
from llmobs.plan.inputs import Facts
from llmobs.prices.table import PriceTable, table

WHERE = Key("n", "p")


class Cluster:
    """A world that a test changes, and its reader."""

    def __init__(self) -> None:
        self.world = World()
        self.tables = 0
        self.now = datetime(2026, 1, 1, 12, tzinfo=UTC)
        self.reader = Reader(Settings(), self._priced, now=lambda: self.now)
        self._generation = 0

    def _priced(self, lists: Lists, now: datetime) -> Any:
        self.tables += 1
        made: PriceTable = table(lists, at=now)
        return made, made.refused

    def put(self, kind: str, spec: dict[str, Any], *, name: str = "p", namespace: str = "") -> None:
        self._generation += 1
        meta = {"name": name, "uid": f"u-{name}", "generation": self._generation, "creationTimestamp": "2026-01-01T00:00:00Z"}
        self.world.put({"kind": kind, "metadata": {**meta, **({"namespace": namespace} if namespace else {})}, "spec": spec})

    def policy(self, spec: dict[str, Any]) -> None:
        self.put("LLMObservability", spec, namespace="n")

    def fleet(self, spec: dict[str, Any]) -> None:
        self.put("ClusterLLMObservability", spec, name="f")

    def view(self) -> View:
        return self.reader.view(self.world, Facts())


def destination(name: str = "d") -> dict[str, Any]:
    return {"name": name, "otlp": {"endpoint": "https://otlp.example.com"}}


def test_the_last_good_spec_serves_in_place_of_a_bad_one() -> None:
    cluster = Cluster()
    cluster.policy({"attributes": {"team": "a"}})
    cluster.view()
    cluster.policy({"attributes": {"team": "b"}, "alerts": {"disabled": ["Nonsense"]}})
    view = cluster.view()
    assert view.refused["LLMObservability", WHERE].path == "spec.alerts.disabled[0]"
    assert view.policies[WHERE].spec.attributes == {"team": "a"}
    cluster.policy({"attributes": {"team": "c"}})
    assert cluster.view().policies[WHERE].spec.attributes == {"team": "c"}
    assert cluster.view().refused == {}


def test_a_fleets_defaults_stand_in_where_there_is_no_policy() -> None:
    cluster = Cluster()
    for name in ("n", "bare", "barred"):
        cluster.world.name_labels(name, {"barred": str(name == "barred")})
    cluster.policy({"alerts": {"disabled": ["Nonsense"]}})
    fleet = {"destinations": [{**destination(), "allowedNamespaces": {"matchLabels": {"barred": "False"}}}]}
    fleet["defaults"] = {"backends": [{"name": "t", "destination": "d"}]}
    cluster.fleet(fleet)
    assert cluster.view().inputs.stand_ins == ()

    cluster.fleet({**fleet, "withoutPolicy": "Apply"})
    view = cluster.view()

    [made] = view.inputs.stand_ins
    assert (made.key, made.identity.namespace, [item.name for item in made.destinations]) == ("f", "bare", ["d"])
    assert list(by_namespace(view.inputs.governing)) == ["bare"]
    assert by_policy(view.inputs.governing) == {}
    assert set(view.left) == {"f"}
    assert view.left["f"].startswith("not in barred: spec.backends[0].destination")

    cluster.world.name_labels("new", {"barred": "False"})
    assert [item.identity.namespace for item in cluster.view().inputs.stand_ins] == ["bare", "new"]


def test_of_a_bad_spec_that_was_never_good_nothing_serves() -> None:
    cluster = Cluster()
    cluster.policy({"alerts": {"disabled": ["Nonsense"]}})
    assert cluster.view().policies == {}
    assert ("LLMObservability", WHERE) in cluster.view().refused


def restarted(cluster: Cluster) -> Cluster:
    """A process that begins with what the cluster stores: the status that was written for what is served now."""
    view, fresh = cluster.view(), Cluster()
    for kind in ("ClusterLLMObservability", "LLMObservability"):
        for where, body in cluster.world.of(kind).items():
            last = noted(view.served[kind, where])
            assert last is not None
            fresh.world.put({**body, "status": {"lastAccepted": {"generation": last.generation, "spec": last.spec}}})
    return fresh


def test_the_last_good_spec_survives_a_restart() -> None:
    cluster = Cluster()
    cluster.fleet({"destinations": [destination()], "defaults": {"attributes": {"environment": "prod"}}})
    cluster.policy({"attributes": {"team": "a"}, "backends": [{"name": "x", "destination": "d"}]})
    before = cluster.view()
    cluster.policy({"attributes": {"team": "b"}, "alerts": {"disabled": ["Nonsense"]}})
    cluster.fleet({"priority": "high"})
    cluster.view()
    after = restarted(cluster).view()
    assert after.policies[WHERE] == before.policies[WHERE]
    assert after.inputs.fleets == before.inputs.fleets
    assert {where.name for _, where in after.refused} == {"p", "f"}
    assert restarted(restarted(cluster)).view().policies == after.policies


def test_after_a_restart_a_destination_that_was_withdrawn_gets_nothing_and_the_rest_serves() -> None:
    cluster = Cluster()
    cluster.fleet({"destinations": [destination(), destination("e")]})
    cluster.policy({"backends": [{"name": "x", "destination": "d"}, {"name": "y", "destination": "e"}]})
    cluster.view()
    cluster.fleet({"destinations": [destination("e")]})
    served = restarted(cluster).view().policies[WHERE]
    assert [item.name for item in served.destinations] == ["e"]


@pytest.mark.parametrize("spec", ['{"alerts": {"disabled": ["Gone"]}}', '{"gone": 1}', "[]", "{", ""])
def test_a_memory_that_cannot_be_read_any_more_serves_nothing(spec: str) -> None:
    cluster = Cluster()
    cluster.policy({"alerts": {"disabled": ["Nonsense"]}})
    body = cluster.world.of("LLMObservability")[WHERE]
    fresh = Cluster()
    fresh.world.put({**body, "status": {"lastAccepted": {"generation": 1, "spec": spec}}})
    assert fresh.view().policies == {}
    assert ("LLMObservability", WHERE) in fresh.view().refused


def test_a_spec_that_would_crowd_the_object_is_not_remembered() -> None:
    body = {"metadata": {"name": "p", "generation": 1}, "spec": {"injection": {"env": [{"name": "A", "value": "x" * LARGEST}]}}}
    assert noted(body) is None
    assert noted({**body, "spec": {}}) is not None


def test_todays_ceiling_holds_for_yesterdays_spec() -> None:
    cluster = Cluster()
    cluster.fleet({"limits": {"content": {"maxCapture": "Full"}}})
    cluster.policy({"content": {"capture": "Full"}})
    assert cluster.view().policies[WHERE].spec.content.capture.value == "Full"
    cluster.policy({"content": {"capture": "Full"}, "alerts": {"disabled": ["Nonsense"]}})
    cluster.fleet({"limits": {"content": {"maxCapture": "None"}}})
    assert cluster.view().policies[WHERE].spec.content.capture.value == "None"


def test_a_destination_that_is_withdrawn_gets_nothing_more() -> None:
    cluster = Cluster()
    cluster.fleet({"destinations": [destination(), destination("e")], "limits": {"content": {"maxCapture": "Full"}}})
    cluster.policy({"backends": [{"name": "x", "destination": "d"}, {"name": "y", "destination": "e"}], "content": {"capture": "Full"}})
    assert [item.name for item in cluster.view().policies[WHERE].destinations] == ["d", "e"]
    cluster.fleet({"destinations": [destination("e")]})
    view = cluster.view()
    assert "'d' is not a destination" in view.refused["LLMObservability", WHERE].message
    served = view.policies[WHERE]
    assert [item.name for item in served.destinations] == ["e"]
    assert [item.destination for item in served.spec.backends] == ["e"]
    assert served.spec.content.capture.value == "None"


def test_a_bad_fleet_resource_keeps_what_it_said() -> None:
    cluster = Cluster()
    cluster.fleet({"destinations": [destination()]})
    cluster.policy({"backends": [{"name": "x", "destination": "d"}]})
    cluster.view()
    cluster.fleet({"priority": "high"})
    view = cluster.view()
    assert view.refused["ClusterLLMObservability", Key("", "f")].path == "spec.priority"
    assert WHERE in view.policies
    assert ("LLMObservability", WHERE) not in view.refused


def test_a_bad_price_list_does_not_spoil_the_others() -> None:
    cluster = Cluster()
    price = {"model": "acme-70b", "inputPerMillion": 1, "outputPerMillion": 2}
    cluster.put("LLMPriceList", {"prices": [price]}, name="a")
    cluster.put("LLMPriceList", {"prices": [{**price, "inputPerMillion": "free"}]}, name="b")
    view = cluster.view()
    assert view.inputs.prices.canonical("acme-70b") == "acme-70b"
    assert view.refused["LLMPriceList", Key("", "b")].path == "spec.prices[0].inputPerMillion"


def test_nothing_is_parsed_again_when_nothing_changed() -> None:
    cluster = Cluster()
    cluster.policy({})
    first = cluster.view()
    assert cluster.view() is first
    cluster.world.put({**cluster.world.of("LLMObservability")[WHERE], "status": {"injected": "1/1"}})
    assert cluster.view() is first
    cluster.policy({"attributes": {"team": "a"}})
    assert cluster.view() is not first
    assert cluster.tables == 1


def test_a_new_day_brings_the_prices_of_that_day() -> None:
    cluster = Cluster()
    cluster.policy({})
    first = cluster.view()
    cluster.now += timedelta(days=1)

    assert cluster.view() is not first
    assert cluster.tables == 2


def test_a_price_counts_from_its_moment_without_an_edit() -> None:
    cluster = Cluster()
    cluster.policy({})
    price = {"model": "acme-1", "inputPerMillion": 1, "outputPerMillion": 2}
    dearer = {**price, "inputPerMillion": 3, "effectiveFrom": "2026-01-01T12:10:00Z"}
    cluster.put("LLMPriceList", {"prices": [price, dearer]}, name="l")

    def rate() -> float:
        row = cluster.view().inputs.prices.find("acme-1")
        assert row is not None
        return row.input

    assert rate() == 1
    assert cluster.reader.due() == 600
    cluster.now += timedelta(minutes=9)
    assert (rate(), cluster.tables) == (1, 1)
    cluster.now += timedelta(minutes=1)
    assert (rate(), cluster.tables) == (3, 2)


def test_what_is_being_deleted_no_longer_counts() -> None:
    cluster = Cluster()
    cluster.policy({})
    body = cluster.world.of("LLMObservability")[WHERE]
    cluster.world.put({**body, "metadata": {**body["metadata"], "deletionTimestamp": "2026-11-21T00:00:00Z"}})
    assert cluster.view().policies == {}


def test_a_namespaces_labels_decide_and_their_change_is_seen() -> None:
    cluster = Cluster()
    cluster.fleet({"namespaceSelector": {"matchLabels": {"gold": "yes"}}, "limits": {"content": {"maxCapture": "Full"}}})
    cluster.policy({"content": {"capture": "Full"}})
    assert cluster.view().policies[WHERE].spec.content.capture.value == "None"
    assert cluster.world.name_labels("n", {"gold": "yes"})
    assert cluster.view().policies[WHERE].spec.content.capture.value == "Full"
    assert not cluster.world.name_labels("n", {"gold": "yes"})


def test_a_namespace_without_a_policy_changes_nothing() -> None:
    cluster = Cluster()
    cluster.policy({})
    first = cluster.view()
    assert cluster.world.name_labels("elsewhere", {"a": "b"})
    assert cluster.view() is first
