"""What the runtime sends at once, as far as gateways bound it."""

from tests.runtime.pod import Pod, finish
from tests.runtime.test_ends import CALL, PATIENT, WAIT


def test_a_request_is_never_larger_than_a_gateway_takes(pod: Pod) -> None:
    """A batch of large spans goes in several requests; the text of one that is too large by itself is cut, so that its call is counted."""
    code = (
        CALL
        + """
    from opentelemetry import trace
    tracer = trace.get_tracer("pydantic-ai")
    def large(name, characters):
        span = tracer.start_span(name)
        span.set_attribute("gen_ai.operation.name", "chat")
        span.set_attribute("gen_ai.response.id", "x" * characters)
        span.end()
    for number in range(60):
        large(f"span {number}", 50_000)
    large("huge", 3_000_000)
    """
        + WAIT
    )
    process = pod.start(code, **PATIENT, OTEL_BSP_MAX_EXPORT_BATCH_SIZE="62")
    spans = {span.name: span for span in pod.spans(62)}
    process.terminate()
    finish(process)
    assert len(pod.gateway.spans) == len(spans) == 62
    assert max(int(headers["content-length"]) for headers in pod.gateway.requests) <= 1_000_000
    assert {len(spans[f"span {number}"].attributes["gen_ai.response.id"]) for number in range(60)} == {50_000}
    assert len(spans["huge"].attributes["gen_ai.response.id"]) == 65_536
