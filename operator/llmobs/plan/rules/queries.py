"""What the controller asks Prometheus, for all namespaces at once. Each answer is an instant vector.

Nothing in an answer means not known: the rules are not evaluated, the gateway is not scraped, or it is too early. A budget that nobody
has spent from is 0, not absent, as long as the gateway is scraped.
"""

from __future__ import annotations

from llmobs.catalogue import metrics
from llmobs.plan.rules import series

BUDGET_SPENT = metrics.BUDGET_SPENT
"""US dollars spent in the running period; labels namespace, policy, budget, period (Day, Week, Month)."""

BUDGET_USED = metrics.BUDGET_USED
"""Spent divided by the limit; labels as :data:`BUDGET_SPENT`."""

MONTH_TO_DATE = metrics.MONTH_TO_DATE
"""US dollars since the first of the month, UTC; label namespace. Absent for a namespace without any cost this month."""

TELEMETRY_AGE = f"time() - {series.LAST_CALL}"
"""Seconds since a call of the namespace was last counted, to the length of a tile; label namespace. Absent when there was none
within a week."""

TELEMETRY_ALIVE = series.ALIVE
"""One sample without labels while the gateway is scraped; no sample: what is absent above is not known, rather than nothing."""

WATCHED = series.WATCHED
"""One sample without labels once a counter that is new is counted in full, a tile, a scrape and half a minute after the rules
were first evaluated. What counters held before that is nobody's: it may be old."""


def calls(namespace: str, workload: str) -> str:
    """Calls that the gateways have counted of a workload and that Prometheus saw within a day; one sample without labels, or none."""
    labels = f'k8s_namespace="{namespace}",k8s_workload="{workload}"'
    return f"sum(last_over_time({metrics.CALLS}{{{labels}}}[1d]))"
