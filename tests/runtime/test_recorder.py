"""Our spans are what the SDK's would be: the same operations on both, compared."""

import json

import pytest

from tests.runtime.pod import Pod

APPLICATION = """
    import json, openai
    from llmobs_runtime import activate
    from opentelemetry import trace
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
    from opentelemetry.trace import Link, SpanContext, Status, StatusCode, TraceFlags

    remote = SpanContext(0xa << 120, 0xb << 60, True, TraceFlags(1), trace.TraceState([("vendor", "x")]))
    other = SpanContext(0xc << 120, 0xd, True, TraceFlags(0))

    class Odd:
        pass

    def operations(tracer):
        changing = ["a", "b"]
        context = trace.set_span_in_context(trace.NonRecordingSpan(remote))
        attributes = {"one": 1, "text": "long enough to be cut", "list": changing, "dropped": "early"}
        links = [Link(other, {"number": number, "text": "long enough"}) for number in range(3)]
        span = tracer.start_span("first", context, trace.SpanKind.CLIENT, attributes, links)
        changing.append("c")
        span.set_attribute("one", 2)
        span.set_attributes({"bytes": b"x", "map": {"inner": ["text that is long"]}, "none": None})
        span.set_attributes({"odd": Odd(), "complex": 1j, "float": 0.5, "yes": True})
        for number in range(4):
            span.add_event("event", {"number": number, "text": "long enough"}, number + 1)
        try:
            raise LookupError("words")
        except LookupError as error:
            span.record_exception(error, {"more": 1}, 5)
        span.set_status(StatusCode.ERROR, "first")
        span.set_status(StatusCode.UNSET)
        span.set_status(Status(StatusCode.ERROR, "second"))
        span.update_name("second")
        said = [span.is_recording()]
        span.end(7)
        span.end(8)
        span.set_attribute("late", 1)
        span.add_event("late")
        span.add_link(other)
        span.update_name("late")
        span.set_status(StatusCode.OK)
        final = tracer.start_span("final", context, start_time=5)
        final.set_status(StatusCode.OK)
        final.set_status(StatusCode.ERROR, "no way back")
        with tracer.start_as_current_span("around", start_time=1) as around:
            tracer.start_span("below").end()
        final.end(9)
        return said + [span.is_recording()]

    def said(spans):
        return [{
            "name": span.name, "kind": span.kind.name, "parent": span.parent and span.parent.span_id in (remote.span_id,),
            "trace": span.get_span_context().trace_id == remote.trace_id, "state": span.get_span_context().trace_state.to_header(),
            "flags": span.get_span_context().trace_flags & 1, "scope": span.instrumentation_scope.name,
            "attributes": {key: repr(value) for key, value in span.attributes.items()},
            "events": [(event.name, {key: repr(value) for key, value in event.attributes.items() if key != "exception.stacktrace"})
                       for event in span.events],
            "traces": ["LookupError: words"[:LENGTH] in event.attributes.get("exception.stacktrace", "LookupError: words")
                       for event in span.events],
            "links": [(link.context.trace_id, dict(link.attributes)) for link in span.links],
            "status": (span.status.status_code.name, span.status.description),
            "dropped": (span.dropped_attributes, span.dropped_events, span.dropped_links),
            "end": span.end_time if span.end_time < 10 else "",
        } for span in spans]

    import logging
    logging.disable()
    recorder = activate._built[0].provider._real
    mine = []
    class Keep:
        def on_start(self, span, parent_context=None): assert span.is_recording()
        def on_end(self, span): mine.append(span)
    recorder.processor = Keep()
    kept = InMemorySpanExporter()
    theirs = TracerProvider()
    theirs.add_span_processor(SimpleSpanProcessor(kept))
    class Raising:
        def __str__(self):
            raise ValueError("the-prompt")
    raising = recorder.get_tracer("scope").start_span("raising", attributes={"odd": Raising()})
    assert raising.attributes in ({"odd": None}, {}), raising.attributes
    told = operations(recorder.get_tracer("scope"))
    assert told == operations(theirs.get_tracer("scope")) == [True, False]
    print(json.dumps([said(mine), said(kept.get_finished_spans())]))
"""
LIMITS = [
    {},
    {"OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT": "3", "OTEL_SPAN_EVENT_COUNT_LIMIT": "2", "OTEL_SPAN_LINK_COUNT_LIMIT": "1"},
    {"OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT": "6", "OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT": "1", "OTEL_LINK_ATTRIBUTE_COUNT_LIMIT": "1"},
    {"OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT": "0", "OTEL_ATTRIBUTE_COUNT_LIMIT": "0", "OTEL_SPAN_EVENT_COUNT_LIMIT": "0"},
]


@pytest.mark.parametrize("limits", LIMITS, ids=["defaults", "few", "short", "none"])
def test_a_span_is_as_the_sdk_would_make_it(pod: Pod, limits: dict[str, str]) -> None:
    length = limits.get("OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT", "None")
    done = pod.run(APPLICATION.replace("LENGTH", length), **limits)
    assert (done.status, done.err) == (0, ""), done.err
    ours, theirs = json.loads(done.out)
    assert [span["name"] for span in ours] == ["second", "below", "around", "final"]
    assert ours == theirs


THREADS = """
    import openai, threading
    from llmobs_runtime import activate
    tracer = activate._built[0].provider.get_tracer("opentelemetry.instrumentation.genai.threads")
    spans = [tracer.start_span("chat", attributes={"gen_ai.operation.name": "chat"}) for _ in range(200)]
    begin = threading.Barrier(4)
    def work(number):
        begin.wait()
        for span in spans:
            span.set_attributes({f"a{number}.{each}": each for each in range(50)})
            span.end()
    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads: thread.start()
    for thread in threads: thread.join()
"""


def test_threads_end_a_span_once(pod: Pod) -> None:
    done = pod.run(THREADS, LLMOBS_LOG="info", OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT="60")
    assert (done.status, done.err) == (0, "llmobs: openai: Active\n")
    assert len(pod.spans(200)) == 200
    assert len({span.span_id for span in pod.gateway.spans}) == 200
