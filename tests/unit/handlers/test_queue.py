"""The queue: no key twice, none at the same time, none forgotten, failures further and further apart."""

import asyncio
from collections.abc import Awaitable, Callable

from llmobs.handlers.queue import Queue
from llmobs.kit.errors import NotYet


class Clock:
    """Time as the test tells it."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


def work(queue: Queue[str], do: Callable[[str], Awaitable[float | None]], *, until: asyncio.Event, workers: int = 3) -> list[str]:
    """Let workers run until the event; the keys that failed."""
    failed: list[str] = []

    async def run() -> None:
        tasks = [asyncio.create_task(queue.work(do, lambda key, _: failed.append(key))) for _ in range(workers)]
        await asyncio.wait_for(until.wait(), 10)
        for task in tasks:
            task.cancel()

    asyncio.run(run())
    return failed


def test_a_key_is_in_the_queue_once_and_at_its_earliest_time() -> None:
    clock = Clock()
    queue: Queue[str] = Queue(clock=clock)
    queue.add("a", delay=10)
    queue.add("a", delay=1)
    queue.add("a", delay=5)
    assert len(queue) == 1
    clock.now += 3
    assert queue.lag == 2


def test_a_key_that_is_asked_for_while_it_is_worked_on_comes_again_and_never_twice_at_once() -> None:
    queue: Queue[str] = Queue()
    done = asyncio.Event()
    seen: list[str] = []
    busy: set[str] = set()

    async def do(key: str) -> None:
        assert key not in busy
        busy.add(key)
        seen.append(key)
        if len(seen) == 1:
            queue.add("a")
            queue.add("a")
        await asyncio.sleep(0)
        busy.discard(key)
        if len(seen) == 2:
            done.set()

    queue.add("a")
    assert work(queue, do, until=done) == []
    assert seen == ["a", "a"]


def test_keys_are_worked_on_at_the_same_time() -> None:
    queue: Queue[str] = Queue()
    done, both = asyncio.Event(), asyncio.Barrier(2)

    async def do(_: str) -> None:
        await both.wait()
        done.set()

    queue.add("a")
    queue.add("b")
    assert work(queue, do, until=done) == []


def test_a_failure_is_tried_again_and_others_go_on() -> None:
    queue: Queue[str] = Queue()
    done = asyncio.Event()
    seen: list[str] = []

    async def do(key: str) -> None:
        seen.append(key)
        if key == "bad" and seen.count("bad") < 2:
            raise RuntimeError("a bug")
        if {"good", "bad"} <= set(seen) and seen.count("bad") == 2:
            done.set()

    queue.add("bad")
    queue.add("good")
    assert work(queue, do, until=done) == ["bad"]


def test_an_answer_in_seconds_is_the_next_time() -> None:
    queue: Queue[str] = Queue()
    done = asyncio.Event()
    times: list[float] = []

    async def do(_: str) -> float | None:
        times.append(asyncio.get_running_loop().time())
        if len(times) == 2:
            done.set()
            return None
        return 0.05

    queue.add("a")
    work(queue, do, until=done)
    assert times[1] - times[0] >= 0.05


def test_pauses_after_failures_grow_and_obey_who_asks_for_patience() -> None:
    queue: Queue[str] = Queue()
    pauses = [queue._delay("a", RuntimeError()) for _ in range(20)]
    assert pauses[0] <= 0.5
    assert pauses[3] > pauses[0]
    assert max(pauses) <= 120
    assert queue._delay("b", NotYet("later", delay=30)) == 30


def runs(queue: Queue[str], clock: Clock, *, until: float) -> list[float]:
    """When a worker would have begun with a key, on the clock of the test."""
    found = []
    while clock.now < until:
        if len(queue) and queue.lag > 0:
            asyncio.run(asyncio.wait_for(queue._next(), 1))
            queue._busy.clear()
            found.append(round(clock.now, 1))
        clock.now += 0.1
    return found


def test_fifty_edits_in_quick_succession_are_one_piece_of_work() -> None:
    clock = Clock()
    queue: Queue[str] = Queue(clock=clock)
    for _ in range(50):
        queue.gather("fleet", quiet=1, longest=5)
        clock.now += 0.05
        assert queue.lag <= 0
    assert len(runs(queue, clock, until=120)) == 1


def test_a_steady_stream_puts_work_off_no_longer_than_the_bound() -> None:
    clock = Clock()
    queue: Queue[str] = Queue(clock=clock)
    while queue.lag <= 0:
        queue.gather("fleet", quiet=1, longest=5)
        clock.now += 0.5
    assert 105 <= clock.now <= 105.5


def test_what_is_asked_for_within_a_time_is_not_put_off_by_gathering() -> None:
    clock = Clock()
    queue: Queue[str] = Queue(clock=clock)
    queue.add("before", delay=0.2)
    queue.gather("before", quiet=1, longest=5)
    queue.gather("after", quiet=1, longest=5)
    queue.add("after", delay=2)
    clock.now += 0.5
    queue.gather("after", quiet=1.8, longest=5)
    assert runs(queue, clock, until=100.6) == [100.5]
    assert runs(queue, clock, until=104)[0] <= 102.2


def test_a_short_ask_does_not_cut_gathering_short() -> None:
    clock = Clock()
    queue: Queue[str] = Queue(clock=clock)
    queue.gather("fleet", quiet=1, longest=5)
    queue.gather("fleet", quiet=0.3, longest=5)
    assert runs(queue, clock, until=100.9) == []
    assert len(runs(queue, clock, until=110)) == 1
