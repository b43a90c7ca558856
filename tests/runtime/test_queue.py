"""What waits for a collector that is away is bounded in memory too, and a call is counted whatever becomes of its texts."""

import sys

import pytest

from tests.runtime import machine
from tests.runtime.pod import NEVER, Finished, Pod

sys.path.append(str(machine.RUNTIME))

# Calls whose answers are huge, and then the memory that they left behind and the most that there was, in MB.
CALLS = """
    import openai, os, signal, sys, threading
    http = __import__(openai.DefaultHttpxClient.__mro__[1].__module__.partition(".")[0])
    text = "x" * {characters}
    def answer(request):
        choice = {{"index": 0, "finish_reason": "stop", "message": {{"role": "assistant", "content": text}}}}
        usage = {{"prompt_tokens": 9, "completion_tokens": 8, "total_tokens": 17}}
        body = {{"id": "c", "object": "chat.completion", "created": 1, "model": "gpt-4o", "choices": [choice], "usage": usage}}
        return http.Response(200, json=body)
    client = openai.OpenAI(http_client=openai.DefaultHttpxClient(transport=http.MockTransport(answer)))
    messages = [{{"role": "user", "content": "hello"}}]
    for _ in range({count}):
        found = client.chat.completions.create(model="gpt-4o", messages=messages)
    assert len(found.choices[0].message.content) == {characters}
    lines = open("/proc/self/status").read().splitlines()
    print(*[int(line.split()[1]) // 1024 for name in ("VmRSS", "VmHWM") for line in lines if line.startswith(name)], flush=True)
"""
SEND = """
    import gc
    from llmobs_runtime.spool import Spool
    [spool] = [each for each in gc.get_objects() if isinstance(each, Spool)]
    assert spool.flush(200)
"""
FULL = {"LLMOBS_CONTENT": "Full"}


def megabytes(done: Finished) -> tuple[int, int]:
    assert done.status == 0, done.err
    resident, highest = done.out.split()
    return int(resident), int(highest)


@pytest.mark.skipif(sys.platform != "linux", reason="what a process holds is asked of /proc")
def test_prompts_that_wait_do_not_fill_the_memory(pod: Pod) -> None:
    """60 answers of 10 MB are 600 MB; without content they leave nothing behind, and with it little more."""
    pod.gateway.status = 503
    code = CALLS.format(characters=10_000_000, count=60)
    without = megabytes(pod.run(code, **NEVER))
    done = pod.run(code, **NEVER, **FULL, LLMOBS_LOG="info")
    resident, highest = (more - less for more, less in zip(megabytes(done), without, strict=True))
    assert resident < 60
    assert highest < 120
    assert "spans dropped" not in done.err


def test_what_has_no_room_for_its_texts_is_counted_all_the_same(pod: Pod) -> None:
    """Answers of 2 MB wait cut to 65,536 characters; once there is no room for more, only names and figures wait."""
    done = pod.run(CALLS.format(characters=2_000_000, count=300) + SEND, **NEVER, **FULL, LLMOBS_LOG="info")
    assert done.status == 0, done.err
    spans = pod.spans(300)
    lengths = [len(span.attributes.get("gen_ai.output.messages", "")) for span in spans]
    assert len(spans) == 300
    assert {span.attributes["gen_ai.usage.output_tokens"] for span in spans} == {8}
    whole, short = lengths.count(65_536), lengths.count(512)
    assert whole + short == 300
    assert 100 <= whole <= 16 * 1024 * 1024 // 65_536
    assert f"llmobs: {short} spans cut to their names and figures since the start: 16 MiB were waiting\n" in done.err
    assert max(int(headers["content-length"]) for headers in pod.gateway.requests) <= 1_000_000


def test_an_answer_of_50_mb(pod: Pod) -> None:
    """Its call is told with the beginning of the answer, and telling it takes no multiple of the answer's size."""
    code = CALLS.format(characters=50_000_000, count=1)
    _, without = megabytes(pod.run(code, **NEVER))
    _, highest = megabytes(pod.run(code, **NEVER, **FULL))
    first, second = pod.spans(2)
    assert first.attributes["gen_ai.usage.output_tokens"] == second.attributes["gen_ai.usage.output_tokens"] == 8
    assert "gen_ai.output.messages" not in first.attributes
    assert len(second.attributes["gen_ai.output.messages"]) == 65_536
    assert highest - without < 200
