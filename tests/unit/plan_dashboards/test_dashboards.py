"""Dashboards as ConfigMaps: unique names, the right namespace filled in, nothing else changed."""

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest
from llmobs.api.conditions import ConditionType, Reason, Status
from llmobs.api.settings import Grafana, Settings
from llmobs.kit.documents import dump
from llmobs.plan.dashboards import fleet, parts, policy_parts
from llmobs.plan.dashboards import policy as policy_map
from llmobs.plan.dashboards.names import dashboard_uid, file_name
from llmobs.plan.inputs import Facts, Manifest
from llmobs.plan.rules import bare_groups

from tests.rules.promtool import inputs, policy

FOLDER = Path(__file__).parents[2] / "golden/dashboards"


def board(manifest: Manifest) -> dict[str, object]:
    (text,) = manifest["data"].values()
    made: dict[str, object] = json.loads(text)
    return made


def test_the_fleets_dashboard_stands_in_the_operators_namespace() -> None:
    made = fleet(replace(inputs(), facts=Facts(namespace="observability")))

    assert (made["kind"], made["metadata"]["namespace"]) == ("ConfigMap", "observability")
    assert made["metadata"]["labels"]["grafana_dashboard"] == "1"
    assert made["metadata"]["labels"]["llmobs.dev/owner"] == "fleet"
    assert made["metadata"]["annotations"] == {"grafana_folder": "LLM"}
    assert board(made)["uid"] == "llm-fleet"


def test_a_policys_dashboard_is_about_its_namespace() -> None:
    item = policy(name="search", namespace="team-b")
    made = policy_map(inputs(item), item)
    variables = {entry["name"]: entry for entry in board(made)["templating"]["list"]}  # type: ignore[index]

    assert (made["metadata"]["name"], made["metadata"]["namespace"]) == ("llmobs-search-namespace", "team-b")
    assert made["metadata"]["labels"]["llmobs.dev/owner"] == "uid-team-b-search"
    assert board(made)["title"] == "LLM team-b / search"
    assert variables["namespace"]["query"] == "team-b"
    assert variables["namespace"]["current"]["value"] == "team-b"


def test_only_uid_title_and_namespace_differ_between_policies() -> None:
    one, two = policy(), policy(name="search", namespace="team-b")
    first, second = (board(policy_map(inputs(), item)) for item in (one, two))

    assert {key for key in first if first[key] != second[key]} == {"uid", "title", "templating"}


def test_how_grafana_finds_dashboards_is_the_platforms_choice() -> None:
    settings = Settings(grafana=Grafana(label="dash", value="yes", folder="Platform/LLM"))
    item = policy()
    made = policy_map(replace(inputs(item), settings=settings), item)

    assert made["metadata"]["labels"]["dash"] == "yes"
    assert "grafana_dashboard" not in made["metadata"]["labels"]
    assert made["metadata"]["annotations"]["grafana_folder"] == "Platform/LLM"


def test_file_names_and_uids_are_unique_in_the_cluster() -> None:
    """Grafana's sidecar puts all of them into one folder."""
    owners = [("a", "b-c"), ("a-b", "c"), ("a", "b.c"), ("a-b", "c.namespace"), ("a", "x" * 250), ("a", "x" * 249 + "y")]
    files = {file_name("namespace", *owner) for owner in owners} | {file_name("fleet")}
    uids = {dashboard_uid("namespace", *owner) for owner in owners} | {dashboard_uid("fleet")}

    assert len(files) == len(uids) == len(owners) + 1
    assert all(len(name) <= 253 and name.endswith(".json") for name in files)
    assert all(len(uid) <= 40 for uid in uids)


def test_a_policy_that_wants_no_dashboard_gets_none_and_that_is_fine() -> None:
    item = policy({"dashboards": {"delivery": "None"}})
    (part,) = policy_parts(inputs(item), item)

    assert part.manifests == ()
    assert part.finding is not None
    assert (part.finding.type, part.finding.status, part.finding.reason) == (ConditionType.DASHBOARDS_READY, Status.TRUE, Reason.DISABLED)


def test_dashboards_need_no_prometheus_operator() -> None:
    item = policy()
    given = replace(inputs(item), facts=Facts(prometheus_operator=False))

    assert [len(part.manifests) for part in (*parts(given), *policy_parts(given, item))] == [1, 1]


@pytest.mark.parametrize(("delivery", "uid"), [("ConfigMap", dashboard_uid("namespace", "team-a", "checkout")), ("None", "llm-fleet")])
def test_alerts_lead_to_a_dashboard_that_exists(delivery: str, uid: str) -> None:
    document = bare_groups(inputs(policy({"dashboards": {"delivery": delivery}})))
    (info,) = [rule for group in document["groups"] for rule in group["rules"] if rule.get("record") == "llm_policy_info"]

    assert info["labels"]["dashboard"] == uid


def test_one_policys_dashboard_is_as_reviewed() -> None:
    item = policy()
    path, text = FOLDER / "checkout.yaml", dump([policy_map(inputs(item), item)])
    if os.environ.get("UPDATE_GOLDEN"):
        path.write_text(text, encoding="utf-8")

    assert path.read_text(encoding="utf-8") == text
