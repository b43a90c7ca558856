"""What each policy asks of the gateway."""

from llmobs.plan.collector.policies import by_namespace, by_policy, routes, table

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
    assert table(by_namespace(policies)) == {}
