"""Every metric and label name of ours, once."""

from __future__ import annotations

CALLS = "llm_calls_total"
"""Calls; labels IDENTITY + provider, model, operation, outcome (ok, error), error_type, priced."""
TOKENS = "llm_tokens_total"
"""Tokens; labels IDENTITY + provider, model, token_type (TOKEN_TYPES, disjoint)."""
COST = "llm_cost_usd_total"
"""US dollars; labels IDENTITY + provider, model, agent, workflow."""
DURATION = "llm_call_duration_seconds"
"""Histogram of seconds; labels IDENTITY + provider, model, operation, outcome."""

IDENTITY = ("k8s_namespace", "k8s_workload", "service_name", "team", "feature", "environment", "cluster")
"""Labels of every derived series."""

TOKEN_TYPES = ("input", "cache_read", "cache_write", "output", "reasoning")
"""Disjoint: input without the cached ones, output without the reasoning ones."""

PRICED = ("priced", "unpriced", "no_usage", "bad_usage")

DURATION_BOUNDS = (0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92, 120.0, 300.0, 600.0)
"""Bucket bounds in seconds; the thresholds of all objectives are added."""

OTHER = "other"
"""Label value of a model that no price row matches."""

RESOURCE_LABELS = ("team", "feature", "environment")
"""Attributes of a policy that become metric labels."""

BUDGET = "llm_budget_usd"
"""Recorded: a budget's limit; labels namespace, policy, budget, period."""
BUDGET_SPENT = "llm_budget_spent_usd"
"""Recorded: spent in the running period; labels as BUDGET."""
BUDGET_USED = "llm_budget_used_ratio"
"""Recorded: spent divided by limit; labels as BUDGET."""
MONTH_TO_DATE = "namespace:llm_cost_usd:month_to_date"
"""Recorded: a namespace's spend since the first of the month, with or without a budget."""

PODS = "llmobs_pods"
"""The controller's: pods that a policy matches; labels k8s_namespace, policy, state (injected, outdated, skipped, missed)."""
PODS_SKIPPED = "llmobs_pods_skipped"
"""The controller's: pods that a policy matches and that are not injected; labels k8s_namespace, policy, reason."""
