"""Every metric and label name of ours, once."""

from __future__ import annotations

from collections.abc import Mapping

CALLS = "llm_calls_total"
"""Calls; labels IDENTITY + provider, model, operation, outcome (ok, error), error_type, priced."""
TOKENS = "llm_tokens_total"
"""Tokens; labels IDENTITY + provider, model, token_type (TOKEN_TYPES, disjoint)."""
COST = "llm_cost_usd_total"
"""US dollars; labels IDENTITY + provider, model."""
AGENT_COST = "llm_agent_cost_usd_total"
"""The part of COST whose calls name an agent or a workflow, never to be added to it; labels as COST + agent, workflow."""
DURATION = "llm_call_duration_seconds"
"""Histogram of seconds; labels IDENTITY + provider, model, operation, outcome."""
FIRST_CHUNK = "llm_time_to_first_token_seconds"
"""Histogram of seconds until the first chunk of a streamed answer, successful calls; labels IDENTITY + provider, model."""
SPEED = "llm_output_tokens_per_second"
"""Histogram of output tokens (reasoning included) by the call's whole duration, successful calls; labels as FIRST_CHUNK."""
INPUT_TOKENS = "llm_input_tokens"
"""Histogram of a call's input tokens, cached ones included; labels as FIRST_CHUNK."""
OUTPUT_TOKENS = "llm_output_tokens"
"""Histogram of a call's output tokens, reasoning included; labels as FIRST_CHUNK."""
TOOL_CALLS = "llm_tool_calls_total"
"""Tools that agents ran; labels IDENTITY + tool, agent, outcome."""
RETRIEVAL_DURATION = "llm_retrieval_duration_seconds"
"""Histogram of seconds that a retrieval took; labels IDENTITY + outcome."""
RETRIEVAL_RESULTS = "llm_retrieval_results"
"""Histogram of the documents that a successful retrieval found; labels IDENTITY."""
SCORE = "llm_evaluation_score"
"""Histogram of the scores of evaluations, 0 to 1000; labels IDENTITY + name."""
VALIDATIONS = "llm_output_validations_total"
"""Checks of answers by the application; labels IDENTITY + check, outcome (passed, failed)."""
FEEDBACK = "llm_feedback_total"
"""What users said of answers; labels IDENTITY + kind."""
RUNS = "llm_agent_runs_total"
"""Runs of agents; labels IDENTITY + agent, outcome."""
RUN_COST = "llm_agent_run_cost_usd"
"""Histogram of US dollars that a run's calls cost; labels IDENTITY + agent. Never to be added to COST."""
RUN_STEPS = "llm_agent_run_steps"
"""Histogram of calls to models in a run; labels IDENTITY + agent."""
LOOPS = "llm_agent_tool_loops_total"
"""Runs that executed one tool too often in a row; labels IDENTITY + agent, tool."""

IDENTITY = ("k8s_namespace", "k8s_workload", "service_name", "team", "feature", "environment", "cluster")
"""Labels of every derived series."""

TOKEN_TYPES = ("input", "cache_read", "cache_write", "output", "reasoning")
"""Disjoint: input without the cached ones, output without the reasoning ones."""

ESTIMATED = "estimated"
"""Stands in ``priced`` of calls that are counted from metrics, which tell neither cached tokens nor tiers."""

PRICED = ("priced", ESTIMATED, "unpriced", "no_usage", "bad_usage")

DURATION_BOUNDS = (0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92, 120.0, 300.0, 600.0)
"""Bucket bounds in seconds; the thresholds of objectives are added."""
TOKEN_BOUNDS = tuple(float(2**power) for power in range(4, 18))
"""Bucket bounds in tokens: doubling from 16 to 131072 shows a shift of half as much at a hundred calls."""
SPEED_BOUNDS = (1.0, 2.0, 5.0, 10.0, 15.0, 20.0, 30.0, 40.0, 50.0, 75.0, 100.0, 150.0, 200.0, 300.0, 500.0, 1000.0)
"""Bucket bounds in tokens per second; the thresholds of objectives are added."""
RUN_COST_BOUNDS = (0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 10.0, 50.0, 100.0)
"""Bucket bounds in US dollars; what policies allow is added."""
RUN_STEPS_BOUNDS = (1.0, 2.0, 3.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0)
"""Bucket bounds in steps; what policies allow is added."""
RESULT_BOUNDS = (0.0, 1.0, 2.0, 3.0, 5.0, 10.0, 20.0, 50.0, 100.0)
"""Bucket bounds in documents; the first counts the retrievals that found nothing."""
SCORE_BOUNDS = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 2.0, 3.0, 4.0, 5.0, 10.0, 100.0)
"""Bucket bounds of scores: shares, marks up to five or ten, and percent."""

BOUNDS: Mapping[str, tuple[float, ...]] = {
    DURATION: DURATION_BOUNDS,
    FIRST_CHUNK: DURATION_BOUNDS,
    SPEED: SPEED_BOUNDS,
    INPUT_TOKENS: TOKEN_BOUNDS,
    OUTPUT_TOKENS: TOKEN_BOUNDS,
    RETRIEVAL_DURATION: DURATION_BOUNDS,
    RETRIEVAL_RESULTS: RESULT_BOUNDS,
    SCORE: SCORE_BOUNDS,
    RUN_COST: RUN_COST_BOUNDS,
    RUN_STEPS: RUN_STEPS_BOUNDS,
}
"""Histogram -> the bucket bounds that it has whatever policies ask for."""

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
