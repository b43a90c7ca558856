"""What is counted besides calls and money: first tokens, speed, sizes, tools, retrievals, evaluations, checks and feedback."""

from typing import Any

import pytest
from llmobs.catalogue import metrics
from llmobs.catalogue.alert import alerts

from tests.collector.conftest import inputs
from tests.collector.gateway import Gateway, get, until
from tests.collector.spans import current, pairs, span

EXACT = {"rel": 0, "abs": 1e-9}
WORDS = {"team": "payments", "feature": "checkout", "environment": "prod"}


@pytest.fixture(scope="module")
def gateway(start: Any) -> Gateway:
    return start(inputs(settings={"clusterName": "east"}))


def sent(gateway: Gateway, namespace: str, *spans: dict[str, Any]) -> None:
    """Send the spans and wait until they are counted; what is sent after them is counted after them, of either sort."""
    end = f"{namespace}-end"
    gateway.send(*spans, span(current("gpt-4o", 1, 1)), namespace=namespace, workload="web", resource=WORDS)
    gateway.send(span({"llmobs.feedback.kind": "end"}), namespace=end)
    gateway.calls(namespace, 1)
    assert until(lambda: gateway.value(metrics.FEEDBACK, k8s_namespace=end) == 1)


def identity(namespace: str) -> dict[str, str]:
    return {"k8s_namespace": namespace, "k8s_workload": "web", "service_name": "svc", **WORDS, "cluster": "east"}


def histogram(gateway: Gateway, name: str, namespace: str, **labels: str) -> tuple[float, float]:
    """Count and sum."""
    only = {"k8s_namespace": namespace, **labels}
    return gateway.value(f"{name}_count", **only), gateway.value(f"{name}_sum", **only)


def tool(name: Any, **more: Any) -> dict[str, Any]:
    extra = {key.replace("__", "."): value for key, value in more.items()}
    return {"gen_ai.operation.name": "execute_tool", **({} if name is None else {"gen_ai.tool.name": name}), **extra}


def test_first_tokens_speed_and_sizes(gateway: Gateway) -> None:
    chat = current(
        "claude-sonnet-4-5",
        1000,
        300,
        provider="anthropic",
        gen_ai__usage__cache_read__input_tokens=600,
        gen_ai__usage__reasoning__output_tokens=100,
        gen_ai__response__time_to_first_chunk=0.3,
    )
    gateway.send(span(chat, seconds=2), span(chat, seconds=2), namespace="sizes", workload="web", resource=WORDS)
    gateway.calls("sizes", 2)

    expected = {metrics.FIRST_CHUNK: 0.6, metrics.SPEED: 300.0, metrics.INPUT_TOKENS: 2000, metrics.OUTPUT_TOKENS: 600}
    for name, total in expected.items():
        assert histogram(gateway, name, "sizes") == (2, pytest.approx(total, **EXACT)), name
        [(labels, _)] = gateway.samples(f"{name}_count", k8s_namespace="sizes")
        assert labels == {**identity("sizes"), "provider": "anthropic", "model": "claude-sonnet-4-5"}
    bounds = {float(labels["le"]) for labels, _ in gateway.samples("llm_output_tokens_bucket", k8s_namespace="sizes")}
    assert bounds == {*(2.0**power for power in range(4, 18)), float("inf")}
    assert gateway.value("llm_output_tokens_bucket", k8s_namespace="sizes", le="256") == 0
    assert gateway.value("llm_output_tokens_bucket", k8s_namespace="sizes", le="512") == 2


def test_what_was_not_measured_is_not_counted(gateway: Gateway) -> None:
    """A call that failed, was no stream, reported no usage, or says what cannot be, is in no histogram that it would spoil."""
    first = "gen_ai.response.time_to_first_chunk"
    odd = [-1, "NaN", "Inf", "abc", 1e12, [1], {"a": 1}]
    gateway.send(
        span(current("gpt-4o")),
        span({**current("gpt-4o", 10, 10), first: 0.5}, error="broken"),
        span(current("gpt-4o", 10, 10), seconds=0),
        *(span({**current("gpt-4o", -1, -1), first: value}) for value in odd),
        span(current("text-embedding-3-small", 10, 0, gen_ai__operation__name="embeddings")),
        span({**current("gpt-4o", 10, 10), first: "0.25"}, seconds=1),
        namespace="unmeasured",
    )
    gateway.calls("unmeasured", 12)

    assert histogram(gateway, metrics.FIRST_CHUNK, "unmeasured") == (1, 0.25)
    assert histogram(gateway, metrics.SPEED, "unmeasured") == (1, 10)
    assert histogram(gateway, metrics.INPUT_TOKENS, "unmeasured") == (4, 40)
    assert histogram(gateway, metrics.OUTPUT_TOKENS, "unmeasured") == (4, 30)


def test_tools_by_name_agent_and_outcome(gateway: Gateway) -> None:
    sent(
        gateway,
        "tools",
        span(tool("search", gen_ai__agent__name="planner")),
        span(tool("search", gen_ai__agent__name="planner")),
        span(tool("search"), error="no such page"),
        span(tool("search", error__type="timeout")),
        span(tool(None)),
        span(tool("t" * 5000)),
        span(tool({"a": "map"})),
        span({"openinference.span.kind": "TOOL", "tool.name": "old"}),
        span({"traceloop.span.kind": "tool", "traceloop.entity.name": "older"}),
        span(tool("served"), kind=2),
    )

    counted = {(labels["tool"], labels["agent"], labels["outcome"]): value for labels, value in gateway.samples(metrics.TOOL_CALLS)}
    assert counted == {
        ("search", "planner", "ok"): 2,
        ("search", "", "error"): 2,
        ("unknown", "", "ok"): 1,
        ("t" * 128, "", "ok"): 1,
        ('{"a":"map"}', "", "ok"): 1,
        ("old", "", "ok"): 1,
        ("older", "", "ok"): 1,
    }
    assert {frozenset(labels) for labels, _ in gateway.samples(metrics.TOOL_CALLS)} == {
        frozenset([*metrics.IDENTITY, "tool", "agent", "outcome"])
    }


RETRIEVAL = {"gen_ai.operation.name": "retrieval", "gen_ai.data_source.id": "docs"}
FOUND: dict[str, tuple[Any, float | None]] = {
    "list": ({"gen_ai.retrieval.documents": [{"id": "1", "score": 0.5}, {"id": "2", "score": 0.4}]}, 2),
    "json": ({"gen_ai.retrieval.documents": '[{"id":"1"},{"id":"2"},{"id":"3"}]'}, 3),
    "none": ({"gen_ai.retrieval.documents": []}, 0),
    "flat": ({f"retrieval.documents.{i}.document.{key}": "x" for i in range(4) for key in ("content", "id")}, 4),
    "count": ({"llmobs.retrieval.results": 7, "gen_ai.retrieval.documents": "no JSON"}, 7),
    "silent": ({}, None),
    "hostile": ({"llmobs.retrieval.results": -3}, None),
    "prose": ({"gen_ai.retrieval.documents": "two pages on refunds"}, None),
}


@pytest.mark.parametrize("case", FOUND)
def test_retrievals_are_timed_and_what_they_found_is_counted(gateway: Gateway, case: str) -> None:
    attributes, found = FOUND[case]
    space = f"retrieval-{case}"
    sent(gateway, space, span({**RETRIEVAL, **attributes}, seconds=0.5), span({**RETRIEVAL, **attributes}, seconds=1, error="down"))

    assert histogram(gateway, metrics.RETRIEVAL_DURATION, space, outcome="ok") == (1, 0.5)
    assert histogram(gateway, metrics.RETRIEVAL_DURATION, space, outcome="error") == (1, 1)
    assert histogram(gateway, metrics.RETRIEVAL_RESULTS, space) == ((0, 0) if found is None else (1, found))


def test_a_retriever_of_openinference_is_a_retrieval(gateway: Gateway) -> None:
    sent(gateway, "retriever", span({"openinference.span.kind": "RETRIEVER", "retrieval.documents.0.document.content": "x"}, seconds=0.5))

    assert histogram(gateway, metrics.RETRIEVAL_DURATION, "retriever", outcome="ok") == (1, 0.5)
    assert histogram(gateway, metrics.RETRIEVAL_RESULTS, "retriever") == (1, 1)


@pytest.mark.parametrize("system", ["chroma", "milvus", "Pinecone", "Qdrant"])
def test_a_search_in_a_vector_store_is_a_retrieval(gateway: Gateway, system: str) -> None:
    space = f"store-{system.lower()}"
    search = {"gen_ai.operation.name": "retrieval", "db.system": system, "db.vector.query.top_k": 3}
    sent(gateway, space, span(search, seconds=0.5), span({"db.system": system, "db.operation": "upsert"}, seconds=1))

    assert histogram(gateway, metrics.RETRIEVAL_DURATION, space, outcome="ok") == (1, 0.5)
    assert histogram(gateway, metrics.RETRIEVAL_RESULTS, space) == (0, 0)


def judged(name: Any, value: Any) -> dict[str, Any]:
    return {"gen_ai.evaluation.name": name, "gen_ai.evaluation.score.value": value}


def event(attributes: dict[str, Any], name: str = "gen_ai.evaluation.result") -> dict[str, Any]:
    return {"name": name, "timeUnixNano": "1790000000000000000", "attributes": pairs(attributes)}


def test_scores_of_evaluations_from_spans_and_from_their_events(gateway: Gateway) -> None:
    many = [event(judged(f"e{index}", 0.5)) for index in range(6)]
    sent(
        gateway,
        "scores",
        span(judged("faithfulness", 0.9), name="gen_ai.evaluation.result", seconds=0),
        span(judged("faithfulness", 1)),
        span(judged("n" * 5000, 0.1)),
        span(current("gpt-4o", 1, 1), events=[event(judged("relevance", 0.4)), event({}, "exception"), event(judged("tone", 0.2))]),
        span({**current("gpt-4o", 1, 1), **judged("relevance", 0.6)}, events=[event(judged("tone", 0.3))]),
        span(
            {}, events=[event(judged("label-only", None)), event(judged("stars", 5)), event(judged("bad", -1)), event(judged("bad", "NaN"))]
        ),
        span({}, events=many),
        *(span(judged("bad", value)) for value in (-1, "NaN", "Inf", 1e300, "abc", None)),
    )

    counted = {
        labels["name"]: (value, gateway.value("llm_evaluation_score_sum", k8s_namespace="scores", name=labels["name"]))
        for labels, value in gateway.samples("llm_evaluation_score_count", k8s_namespace="scores")
    }
    assert counted == {
        "faithfulness": (2, pytest.approx(1.9)),
        "n" * 128: (1, 0.1),
        "relevance": (2, 1.0),
        "tone": (2, 0.5),
        "stars": (1, 5),
        **{f"e{index}": (1, 0.5) for index in range(4)},
    }


def test_checks_and_feedback(gateway: Gateway) -> None:
    check = {"llmobs.validation.check": "json"}
    sent(
        gateway,
        "checks",
        span({**check, "llmobs.validation.outcome": "passed"}),
        span({**current("gpt-4o", 1, 1), **check, "llmobs.validation.outcome": "failed"}),
        span(check),
        span({"llmobs.feedback.kind": "up"}),
        span({"llmobs.feedback.kind": "up"}),
        span({"llmobs.feedback.kind": "d" * 1000}),
    )

    checked = {(labels["check"], labels["outcome"]): value for labels, value in gateway.samples(metrics.VALIDATIONS)}
    assert checked == {("json", "passed"): 1, ("json", "failed"): 2}
    said = {labels["kind"]: value for labels, value in gateway.samples(metrics.FEEDBACK, k8s_namespace="checks")}
    assert said == {"up": 2, "d" * 128: 1}
    assert gateway.value("llm_calls_total", k8s_namespace="checks", outcome="ok") == 2


def test_a_client_cannot_write_what_only_the_gateway_writes(gateway: Gateway) -> None:
    """Each of our own attributes, as a client would have to send it for a series of its choice."""
    own = {key for spans in _definitions(gateway) for key in spans}
    forged = dict.fromkeys(own, "forged")
    forged |= {"llmobs.score.0.name": "forged", "llmobs.score.0.value": 1.0, "llm.cost.usd": 1e6, "llm.cost.priced": "priced"}
    forged |= {"llmobs.tokens.input": 1e6, "llmobs.results": 1.0}
    sent(gateway, "forged", span(forged))

    seen = {name for name in _names(gateway) if gateway.samples(name, k8s_namespace="forged")}
    assert gateway.value("llm_calls_total", k8s_namespace="forged") == 1
    assert gateway.value("llm_cost_usd_total", k8s_namespace="forged") < 1
    assert {name for name in seen if name.startswith(("llm_tool", "llm_retr", "llm_eval", "llm_output_val", "llm_feed"))} == set()


def _definitions(gateway: Gateway) -> list[list[str]]:
    connectors = [item for name, item in gateway.rendered["connectors"].items() if name.startswith("signal_to_metrics")]
    return [[attribute["key"] for attribute in made["attributes"]] for item in connectors for made in item["spans"]]


def _names(gateway: Gateway) -> set[str]:
    text = {name for name in vars(metrics).values() if isinstance(name, str) and name.startswith("llm_")}
    return text | {f"{name}_count" for name in text}


def test_the_bound_on_series_holds_for_each_sort(gateway: Gateway) -> None:
    pipelines = gateway.rendered["service"]["pipelines"]

    assert pipelines["metrics/derived"]["receivers"] == ["signal_to_metrics"]
    assert pipelines["metrics/agents"]["receivers"] == ["signal_to_metrics/agents"]
    assert pipelines["metrics/observed"]["receivers"] == ["signal_to_metrics/observed"]
    assert gateway.rendered["processors"]["delta_to_cumulative"]["max_streams"] == 100_000


def narrowed(start: Any, most: int) -> Gateway:
    """A gateway that keeps at most so many series of each sort."""

    def narrow(config: dict[str, Any]) -> None:
        config["processors"]["delta_to_cumulative"]["max_streams"] = most

    made: Gateway = start(inputs(), change=narrow)
    return made


def test_names_without_end_crowd_out_no_money(start: Any) -> None:
    """Agents, workflows and tools of one namespace, far more than are kept; then others come whose series are new."""
    full, lost = narrowed(start, 100), 'otelcol_deltatocumulative_datapoints{error="limit"'
    names = [{"gen_ai__agent__name": f"agent-{number}", "gen_ai__workflow__name": f"flow-{number}"} for number in range(300)]
    tools = [{"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": f"tool-{number}"} for number in range(300)]
    full.send(*(span(current("gpt-4o", 1000, 100, **name)) for name in names), *map(span, tools), namespace="inventor")
    for number in range(3):
        full.send(span(current("gpt-4o", 1000, 100, gen_ai__agent__name="helper")), namespace=f"victim-{number}")
    full.calls("victim-2", 1)

    cost = (1000 * 2.5 + 100 * 10) / 1e6
    assert until(lambda: lost in get(f"http://127.0.0.1:{full.ports['self']}/metrics"))
    assert full.value(metrics.COST, k8s_namespace="inventor") == pytest.approx(300 * cost, rel=1e-9)
    assert full.value(metrics.CALLS, k8s_namespace="inventor") == 300
    for number in range(3):
        space = f"victim-{number}"
        assert full.value(metrics.COST, k8s_namespace=space) == pytest.approx(cost, rel=1e-9)
        assert (full.value(metrics.CALLS, k8s_namespace=space), full.value(metrics.TOKENS, k8s_namespace=space)) == (1, 1100)
    assert until(lambda: len(full.samples(metrics.AGENT_COST)) == 100)


def test_series_beyond_the_bound_are_dropped_as_the_alert_reads_it(start: Any) -> None:
    full = narrowed(start, 1)
    full.send(span(current("gpt-4o", 1, 1)), namespace="first", workload="web")
    [alert] = [item for item in alerts() if item.name == "LLMSeriesDropped"]
    lost = 'otelcol_deltatocumulative_datapoints{error="limit"'

    assert lost in alert.rules[0].expr
    assert until(lambda: lost in get(f"http://127.0.0.1:{full.ports['self']}/metrics"))
