"""Budgets to the cent: every period, both tiles, any phase of evaluation, restarts, births, gaps, month's end."""

import datetime as dt
from pathlib import Path
from typing import Any

import pytest
from llmobs.kit.durations import seconds

from tests.rules.promtool import Scenario, cost, policy, prove

pytestmark = pytest.mark.promtool

MONEY = ("llmobs-cost", "llmobs-history", "llmobs-budgets")
AGENTS = ("llmobs-agent-cost", "llmobs-agent-history")
CENTS = "round(100 * llm_budget_spent_usd)"
GATEWAY = 'up{namespace="llmobs-system",pod="llmobs-gateway-5f6d7-abcde"}'
BUDGETS = {
    "budgets": [
        {"name": "today", "period": "Day", "limitUSD": 1000},
        {"name": "week", "period": "Week", "limitUSD": 5000},
        {"name": "month", "limitUSD": 20000},
    ]
}


def budget(name: str, period: str, namespace: str = "team-a", owner: str = "checkout") -> str:
    return f'{{namespace="{namespace}",policy="{owner}",budget="{name}",period="{period}"}}'


class Meter:
    """A counter of cents that grows unevenly, and what of it lies between two moments.

    A moment's spend is what Prometheus knew when it closed the last tile at or before it: the newest sample at that edge. What was
    there when the first tile began may be old and is nobody's.
    """

    def __init__(self, start: str, *, samples: int, step: str = "1m", tile: str = "5m") -> None:
        self.start = dt.datetime.fromisoformat(start)
        self.step, self.tile = seconds(step), seconds(tile)
        self.cents = [0]
        for index in range(samples):
            self.cents.append(self.cents[-1] + (index * 7919) % 211)

    @property
    def values(self) -> str:
        return " ".join(f"{cents / 100:.2f}" for cents in self.cents)

    def until(self, moment: dt.datetime) -> int:
        """Cents that had been seen at a tile's edge."""
        index = int((moment - self.start).total_seconds() // self.step)
        return self.cents[max(0, min(index, len(self.cents) - 1))]

    def between(self, begin: dt.datetime, now: dt.datetime) -> int:
        edge = dt.datetime.fromtimestamp(now.timestamp() // self.tile * self.tile, tz=dt.UTC)
        first = dt.datetime.fromtimestamp(-(-self.start.timestamp() // self.tile) * self.tile, tz=dt.UTC)
        return self.until(edge) - self.until(max(begin, first))

    def expected(self, now: dt.datetime) -> dict[str, float]:
        """Spend in the running day, week and month; the instant 00:00:00 still closes the period before."""
        shown = now - dt.timedelta(seconds=1)
        day = shown.replace(hour=0, minute=0, second=0, microsecond=0)
        week = day - dt.timedelta(days=day.weekday())
        return {
            budget("today", "Day"): self.between(day, now),
            budget("week", "Week"): self.between(week, now),
            budget("month", "Month"): self.between(day.replace(day=1), now),
        }


def calendar(meter: Meter, *moments: str) -> Scenario:
    made = Scenario(
        name=f"{meter.start.isoformat()} in tiles of {meter.tile:g} s",
        policies=[policy(BUDGETS)],
        series={cost(): meter.values, GATEWAY: f"1x{len(meter.cents)}"},
        start=meter.start.strftime("%Y-%m-%dT%H:%M:%SZ"),
        step=f"{meter.step:g}s",
        every=f"{meter.step:g}s",
        tile="1m" if meter.tile == 60 else "5m",
        groups=MONEY,
    )
    for moment in moments:
        now = dt.datetime.fromisoformat(moment)
        made.expect(f"{(now - meter.start).total_seconds():.0f}s", CENTS, meter.expected(now))
    return made


@pytest.mark.parametrize(("tile", "phase"), [("5m", "37"), ("1m", "00")])
def test_day_week_and_month_turn_at_midnight_utc(tile: str, phase: str, tmp_path: Path) -> None:
    """2026-11-30 is a Monday and the last of its month: the week turns a day before the month."""
    meter = Meter(f"2026-11-29T20:30:{phase}+00:00", samples=1900, tile=tile)
    at = ("11-29T20:41", "11-29T23:59", "11-30T00:00", "11-30T00:01", "11-30T00:31", "11-30T01:00", "11-30T01:16", "11-30T13:07")
    later = ("11-30T23:59", "12-01T00:00", "12-01T00:05", "12-01T00:59", "12-01T01:00", "12-01T01:01", "12-01T02:23")
    prove(tmp_path, calendar(meter, *(f"2026-{moment}:{phase}+00:00" for moment in (*at, *later))))


def test_days_hours_and_tiles_meet_without_a_gap(tmp_path: Path) -> None:
    """Complete days carry most of a month; each hour and each tile is counted once where the three meet."""
    meter = Meter("2026-11-19T22:02:30+00:00", samples=3300, step="5m")
    at = ("11-20T00", "11-20T01", "11-21T00", "11-21T01", "11-22T00", "11-23T02", "11-25T12", "11-30T23", "12-01T00", "12-01T03")
    prove(tmp_path, calendar(meter, *(f"2026-{moment}:02:30+00:00" for moment in at)))


def simple(name: str, series: dict[str, str], at: str, cents: float, *, tile: str = "5m", **more: Any) -> Scenario:
    made = Scenario(
        name=name,
        policies=[policy({"budgets": [{"name": "month", "limitUSD": 100}]})],
        series={**series, GATEWAY: "1x200"},
        tile=tile,
        **more,
    )
    return made.expect(at, CENTS, {budget("month", "Month"): cents})


@pytest.mark.parametrize("tile", ["5m", "1m"])
def test_what_happens_to_counters(tile: str, tmp_path: Path) -> None:
    later = {"5m": 75, "1m": 79}[tile]
    job = f"{'_ ' * 21}0.25 0.75 0.97{' _' * 30}"
    prove(
        tmp_path,
        simple("the gateway restarts in place", {cost(): "0+0.5x30 0.5+0.5x60"}, "80m", 15_00 + 25_00, tile=tile),
        simple("it restarts twice", {cost(): "0+0.5x12 0+0.5x12 0+0.5x60"}, "60m", 6_00 + 6_00 + 17_00, tile=tile),
        simple(
            "a new pod counts from its first sample",
            {cost(pod="gw-1"): "0x90", cost(pod="gw-2"): f"{'_ ' * 17}0.33+0.11x60"},
            "60m",
            33 + 43 * 11,
            tile=tile,
        ),
        simple("a pod that lives three minutes", {cost(pod="gw-1"): "0x90", cost(pod="gw-2"): job}, "50m", 97, tile=tile),
        simple("twenty minutes without a scrape", {cost(): "0+0.1x20 _x20 4.1+0.1x60"}, "90m", 9_00, tile=tile),
        simple("a first install does not bill old totals", {cost(): "1234.5+0.01x90"}, "80m", 80, tile=tile),
        simple("nor when the first scrape comes after the first evaluation", {cost(): "_ 1234.5+0.01x90"}, "80m", later, tile=tile),
        simple("nothing is spent", {cost(): "7.25x90"}, "80m", 0, tile=tile),
    )


def test_a_restarted_counter_that_has_overtaken_the_old_one(tmp_path: Path) -> None:
    """Nothing but the drop between two scrapes tells it from one that went on: 2, then 0 and up to 5."""
    prove(tmp_path, simple("overtaken", {cost(): "0 1 2x6 0 3 5x60"}, "40m", 2_00 + 5_00))


def test_a_tile_that_was_not_evaluated_is_not_counted_again(tmp_path: Path) -> None:
    """Rules and scrapes every three minutes, tiles of one: a step between two evaluations would find the tile before it."""
    prove(tmp_path, simple("missed", {cost(): "0+0.3x80"}, "4h", 24_00, tile="1m", step="3m", every="3m"))


def test_a_tiny_month_budget_shows_within_minutes(tmp_path: Path) -> None:
    prove(tmp_path, simple("running hour", {cost(): "0 0 0.01x90"}, "5m", 1, start="2026-11-12T10:15:00Z"))


def test_matched_budgets_count_what_they_match(tmp_path: Path) -> None:
    spec = {
        "budgets": [
            {"name": "team", "limitUSD": 100, "match": {"team": 'pay"ments\\'}},
            {"name": "feature", "period": "Day", "limitUSD": 100, "match": {"feature": "search"}},
            {"name": "alias", "period": "Week", "limitUSD": 100, "match": {"model": "my-azure-deployment"}},
            {"name": "agent", "period": "Day", "limitUSD": 100, "match": {"agent": "researcher", "workload": "worker"}},
            {"name": "nobody", "period": "Day", "limitUSD": 100, "match": {"team": "nobody"}},
            {"name": "all", "period": "Day", "limitUSD": 100},
        ]
    }
    series = {
        cost(team='pay\\"ments\\\\', feature="search"): "0+0.01x120",
        cost(team="other", model="claude"): "0+0.1x120",
        cost(workload="worker"): "0+1x120",
        cost(workload="chat"): "0+3x120",
        cost(workload="worker", agent="researcher"): "0+1x120",
        cost(workload="chat", agent="researcher"): "0+3x120",
        GATEWAY: "1x120",
        cost(namespace="team-b", team='pay\\"ments\\\\', feature="search", workload="worker"): "0+10x120",
        cost(namespace="team-b", team='pay\\"ments\\\\', feature="search", workload="worker", agent="researcher"): "0+10x120",
    }
    made = Scenario("matched", [policy(spec), policy(BUDGETS, namespace="team-b")], series, groups=(*MONEY, *AGENTS))
    own = {
        budget("team", "Month"): 1_00,
        budget("feature", "Day"): 1_00,
        budget("alias", "Week"): 1_00 + 100_00 + 300_00,
        budget("agent", "Day"): 100_00,
        budget("nobody", "Day"): 0,
        budget("all", "Day"): 411_00,
    }
    other = {budget(name, period, "team-b"): 1000_00.0 for name, period in (("today", "Day"), ("week", "Week"), ("month", "Month"))}
    prove(tmp_path, made.expect("100m", CENTS, {**own, **other}))


def test_a_matched_budget_of_a_month_knows_the_days_before(tmp_path: Path) -> None:
    matches = {"team": {"team": "payments"}, "agent": {"agent": "researcher"}}
    spec = {"budgets": [{"name": name, "limitUSD": 100, "match": match} for name, match in matches.items()]}
    series = {cost(team="payments"): "0+0.05x900", cost(team="other"): "0+5x900", cost(agent="researcher"): "0+0.03x900"}
    groups = (*MONEY, *AGENTS)
    made = Scenario("history", [policy(spec)], series, start="2026-11-03T06:00:00Z", step="5m", every="150s", groups=groups)
    prove(tmp_path, made.expect("2d22h", CENTS, {budget("team", "Month"): 70 * 60, budget("agent", "Month"): 70 * 36}))


def test_two_policies_in_one_namespace_share_its_spend_and_nothing_else(tmp_path: Path) -> None:
    first = policy({"budgets": [{"name": "month", "limitUSD": 10}], "alerts": {"labels": {"team": "a", "room": "1"}}})
    second = policy({"budgets": [{"name": "month", "limitUSD": 40}], "alerts": {"labels": {"team": "b"}}}, name="search")
    made = Scenario("two", [first, second], {cost(): "0+1x30"})
    made.expect(
        "20m",
        "llm_budget_used_ratio",
        {f"llm_budget_used_ratio{budget('month', 'Month')}": 2, f"llm_budget_used_ratio{budget('month', 'Month', owner='search')}": 0.5},
    )
    firing = 'ALERTS{alertname="LLMBudgetExhausted"}'
    labels = 'alertname="LLMBudgetExhausted",alertstate="firing",severity="critical"'
    made.expect("20m", firing, {f'ALERTS{{{labels},{budget("month", "Month")[1:-1]},team="a",room="1"}}': 1})
    prove(tmp_path, made)
