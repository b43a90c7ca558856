"""The real promtool accepts the rules of every policy that the API accepts, without a duplicate among them."""

from contextlib import suppress
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from llmobs.api.effective import Policy
from llmobs.catalogue.alert import Scope, alerts
from llmobs.kit.errors import Invalid
from llmobs.plan.rules import bare_groups

from tests.rules.promtool import accept, inputs, policy

pytestmark = pytest.mark.promtool

GOLDENS = sorted((Path(__file__).parents[1] / "golden/rules").glob("*.yaml"))

words = st.from_regex(r"\A[a-z0-9]([-a-z0-9]{0,38}[a-z0-9])?\Z")
texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20)
matches = st.fixed_dictionaries({}, optional=dict.fromkeys(("team", "feature", "agent", "workload", "model"), texts))
shares = st.lists(st.floats(0.001, 1), max_size=5)


def money() -> st.SearchStrategy[float]:
    return st.floats(1e-9, 1e12, allow_nan=False)


budgets = st.fixed_dictionaries(
    {"name": words, "limitUSD": money(), "period": st.sampled_from(["Day", "Week", "Month"])}, optional={"warnAt": shares, "match": matches}
)
targets = st.floats(0.5, 0.99999)
thresholds = st.one_of(st.integers(10, 3_600_000).map(lambda ms: f"{ms}ms"), st.integers(1, 3600).map(lambda s: f"{s}s"))
objectives = st.one_of(
    st.fixed_dictionaries({"name": words, "availability": st.fixed_dictionaries({"target": targets})}),
    st.fixed_dictionaries({"name": words, "latency": st.fixed_dictionaries({"target": targets, "threshold": thresholds})}),
)
labels = st.dictionaries(st.from_regex(r"\A[a-zA-Z_][a-zA-Z0-9_]{0,20}\Z"), texts, max_size=4)
disabled = st.lists(st.sampled_from([alert.name for alert in alerts() if alert.scope is Scope.POLICY]), max_size=3)
specs = st.fixed_dictionaries(
    {},
    optional={
        "budgets": st.lists(budgets, max_size=4, unique_by=lambda item: str(item["name"])),
        "objectives": st.lists(objectives, max_size=4, unique_by=lambda item: str(item["name"])),
        "alerts": st.fixed_dictionaries({}, optional={"labels": labels, "disabled": disabled}),
    },
)


def test_every_golden_is_legal(tmp_path: Path) -> None:
    loaded = [list(yaml.safe_load_all(path.read_text(encoding="utf-8"))) for path in GOLDENS]

    assert loaded
    accept(tmp_path, *({"groups": [group for manifest in manifests for group in manifest["spec"]["groups"]]} for manifests in loaded))


@pytest.mark.parametrize("tile", ["5m", "1m"])
def test_the_rules_of_any_policy_are_legal(tile: str, tmp_path: Path) -> None:
    """Examples are gathered first: one promtool takes a hundred policies as fast as one."""
    found: list[Policy] = []

    @settings(max_examples=60, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(specs)
    def gather(spec: dict[str, object]) -> None:
        with suppress(Invalid):  # a label's name may be one of ours
            found.append(policy(spec, name=f"p-{len(found)}", namespace=f"team-{len(found) % 7}"))

    gather()
    assert len(found) > 30
    accept(tmp_path, bare_groups(inputs(*found, tile=tile)))
