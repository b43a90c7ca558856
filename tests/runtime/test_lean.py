"""A call is told at less cost than the official instrumentations tell it, in the same words."""

import json

from tests.runtime.pod import NEVER, Pod

# The same calls, told by the official handler and by ours.
TOLD_BY_BOTH = """
    import dataclasses, json, openai
    from llmobs_runtime import lean
    from opentelemetry import context
    from opentelemetry._logs import NoOpLoggerProvider
    from opentelemetry.metrics import NoOpMeterProvider
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
    from opentelemetry.util.genai import handler, types
    from opentelemetry.util.genai._inference_invocation import InferenceData

    def value(field):
        kind = str(field.type)
        if "list[str]" in kind: return ["a", "b"]
        return 7 if "int" in kind else True if "bool" in kind else 0.5 if "float" in kind else f"the {field.name}"

    FIELDS = [each for each in dataclasses.fields(InferenceData) if each.name.startswith(("request_", "response_", "usage_", "conversation",
        "prompt_name", "prompt_version", "output_type"))]

    def full(call):
        for each in FIELDS:
            setattr(call.data, each.name, value(each))
        call.attributes["more"] = call.metric_attributes["counted"] = "more"
        call.input_messages = [types.InputMessage(role="user", parts=[types.Text(content="the-prompt")])]
        return call

    def calls(tell):
        full(tell.inference("openai", request_model="m", server_address="a", server_port=1, operation_name="text_completion")).stop()
        tell.inference("openai").stop()
        failed = tell.inference("openai", request_model="", error_type_resolver=lambda error: "resolved")
        failed.fail(LookupError("words"))
        failed.stop()
        streamed = tell.inference("openai", request_model="m", conversation_id="talk")
        streamed.suspend()
        with streamed.activate():
            inner = tell.inference("inner", request_model="other")
            inner.input_tokens, inner.attributes["inner"] = 3, 1
            inner.record_stream_chunk()
            inner.stop()
        streamed.record_stream_chunk()
        streamed.record_stream_chunk()
        streamed.stop()
        outer = tell.inference("outer", conversation_id="talk", context=context.Context(), _attach_to_context=False)
        below = tell.inference("below", context=outer.context)
        below.fail(ValueError("inner words"))
        outer.stop()
        after = tell.inference("after", context=outer.context)
        after.stop()
        made = failed, streamed, outer, after
        return [sorted(vars(each)) for each in made], [each.conversation_id for each in made]

    def said(kind, mode):
        kept, provider = InMemorySpanExporter(), TracerProvider()
        provider.add_span_processor(SimpleSpanProcessor(kept))
        original, handler.get_content_capturing_mode = handler.get_content_capturing_mode, lambda: mode
        tell = kind(tracer_provider=provider, meter_provider=NoOpMeterProvider(), logger_provider=NoOpLoggerProvider())
        handler.get_content_capturing_mode = original
        told, before = calls(tell), context.get_current()
        assert before == {}, before
        numbers = {each.context.span_id: number for number, each in enumerate(kept.get_finished_spans())}
        return told, [(each.name, each.kind.name, each.status.status_code.name, each.status.description,
            numbers.get(each.parent.span_id if each.parent else 0), [event.name for event in each.events],
            {key: value for key, value in each.attributes.items() if key != "gen_ai.response.time_to_first_chunk" or value == 0.5},
            list(each.attributes)) for each in kept.get_finished_spans()]

    modes = types.ContentCapturingMode.NO_CONTENT, types.ContentCapturingMode.SPAN_ONLY
    print(json.dumps([[said(kind, mode) for mode in modes] for kind in (handler.TelemetryHandler, lean.Handler)]))
"""


def test_a_call_is_told_in_the_same_words(pod: Pod) -> None:
    done = pod.run(TOLD_BY_BOTH)
    assert (done.status, done.err) == (0, ""), done.err
    theirs, ours = json.loads(done.out)
    assert ours == theirs
    (_, without), (_, within) = ours
    assert len(without) == 6
    assert len(without[0][6]) > 30
    assert "the-prompt" not in json.dumps(without)
    assert "the-prompt" in json.dumps(within)
    assert [attributes.get("inner") for *_, attributes, _ in without].count(1) == 1


# What of theirs, and how often the thread that sends, ran in two hundred calls.
COUNTED = """
    import json, openai, sys
    from llmobs_runtime.spool import Spool
    from opentelemetry.metrics import NoOpHistogram
    from opentelemetry.util.genai import _inference_invocation as calls, _invocation as base
    counts = {}
    def count(owner, name):
        original = getattr(owner, name)
        def counted(*arguments, **named):
            counts[name] = counts.get(name, 0) + 1
            return original(*arguments, **named)
        setattr(owner, name, counted)
        counts[name] = 0
    for owner, name in ((base._ContextData, "merge"), (NoOpHistogram, "record"), (calls, "get_content_attributes"),
            (calls, "_should_emit_event"), (base, "gen_ai_json_dumps"), (base.GenAIInvocation, "_call_completion_hook"), (Spool, "_step")):
        count(owner, name)
    client = openai.OpenAI()
    class Untouched(str):
        def __len__(self): raise AssertionError("counted a prompt")
        def __getitem__(self, at): raise AssertionError("cut a prompt")
    for _ in range(200):
        client.chat.completions.create(model="gpt-4o", messages=[{"role": "user", "content": Untouched("hello")}])
    raw = client.chat.completions.with_raw_response.create(model="gpt-4o", messages=[{"role": "user", "content": "hello"}])
    assert raw.parse().usage.prompt_tokens
    steps = counts.pop("_step")
    print(json.dumps([counts, steps]))
"""


def test_a_call_does_nothing_that_nobody_reads(pod: Pod) -> None:
    done = pod.run(COUNTED, **NEVER)
    assert (done.status, done.err) == (0, ""), done.err
    counts, steps = json.loads(done.out)
    assert set(counts.values()) == {0}, counts
    # Woken by the first call; the next reason would be a batch.
    assert steps <= 2
    spans = pod.spans(201)
    assert all(span.attributes["gen_ai.usage.input_tokens"] for span in spans)


ANOTHER = """
    import os, sys
    sys.path.append(os.environ["PYTHONPATH"] + "/bundle")
    from opentelemetry.util.genai import version
    version.__version__ = "1.4b0"
    import openai
    assert "llmobs_runtime.instrument" in sys.modules and "llmobs_runtime.lean" not in sys.modules
    openai.OpenAI().chat.completions.create(model="gpt-4o", messages=[{"role": "user", "content": "hello"}])
"""


def test_another_version_tells_its_calls_itself(pod: Pod) -> None:
    done = pod.run(ANOTHER)
    assert (done.status, done.err) == (0, ""), done.err
    assert len(pod.spans(1)) == 1
