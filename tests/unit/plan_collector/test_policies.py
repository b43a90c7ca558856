"""What each policy asks of the gateway."""

from dataclasses import replace

from llmobs.api import effective
from llmobs.api.v1alpha1.content import Capture, Content, UserIds
from llmobs.plan import collector
from llmobs.plan.collector.policies import by_namespace, by_policy, routes, table
from llmobs.plan.collector.treatment import PLAIN, Treatment, treatment

from tests.collector.conftest import FULL, inputs

TO = {"backends": [{"name": "own", "otlp": {"endpoint": "https://otlp.example.com"}}], "content": {"capture": "Full"}}
EXTERNAL = {"collector": {"mode": "External", "endpoint": "http://agent.team.svc:4318"}, "content": {"capture": "Full"}}


def test_who_sends_elsewhere_is_granted_nothing_here() -> None:
    policies = inputs({"team/p": EXTERNAL}, fleet=FULL).policies

    assert table(by_policy(policies)) == table(by_namespace(policies)) == {}
    assert routes(policies) == {}


def test_nor_what_another_policy_of_the_namespace_is_granted() -> None:
    policies = inputs({"team/here": TO, "team/there": EXTERNAL}, fleet=FULL).policies

    assert set(table(by_policy(policies))) == {"team/here"}
    assert table(by_namespace(policies)) == {"team": {"n": "00"}}  # where its series are added up


def test_policies_that_disagree_are_granted_the_least_and_nothing_that_makes_no_difference() -> None:
    hashed, masked, full = (treatment(Content(capture=level)) for level in (Capture.HASH, Capture.MASKED, Capture.FULL))

    assert hashed.agreed(full) == full.agreed(hashed) == hashed.agreed(masked) == hashed == Treatment(Capture.HASH, users=UserIds.KEEP)
    assert masked.agreed(full) == masked
    assert treatment(Content(capture=Capture.HASH, max_length=16)) == hashed
    assert treatment(Content(user_ids=UserIds.HASH)).agreed(PLAIN).users is UserIds.HASH
    assert treatment(Content(user_ids=UserIds.HASH)).agreed(treatment(Content(user_ids=UserIds.DROP))).users is UserIds.DROP


def test_what_a_fleet_says_of_content_holds_where_no_policy_stands() -> None:
    given = inputs(fleet={**FULL, "withoutPolicy": "Apply", "defaults": {"content": {"userIds": "Drop"}}})
    bare = effective.stand_in("bare", given.fleets, {})
    assert bare is not None

    dropped = 'delete_key(span.attributes, "user.id")'
    assert dropped not in str(collector.bare_config(given))
    assert dropped in str(collector.bare_config(replace(given, stand_ins=(bare,))))
