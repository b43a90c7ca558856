"""A gateway's pod is read once more before it goes: what it counted since the last look is money."""

from __future__ import annotations

from llmobs.api.settings import Gateway, Settings
from llmobs.plan.collector.deployment import deployment, drain
from llmobs.plan.collector.site import shared
from llmobs.plan.inputs import Facts, Inputs
from llmobs.prices.table import PriceTable


def test_a_pod_stays_longer_than_the_scrape_interval_and_may_finish_afterwards() -> None:
    inputs = Inputs(settings=Settings(gateway=Gateway(scrape_interval="60s")), facts=Facts(), prices=PriceTable())

    spec = deployment(shared(inputs), "config")["spec"]["template"]["spec"]
    waits = spec["containers"][0]["lifecycle"]["preStop"]["sleep"]["seconds"]

    assert waits == drain("60s") > 60
    assert spec["terminationGracePeriodSeconds"] >= waits + 30
