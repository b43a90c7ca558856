"""The decorator that names a step of the application: a workflow, a task, an agent or a tool."""

from __future__ import annotations

import functools
import inspect
from collections.abc import AsyncGenerator, Callable, Generator
from typing import Any, Literal, TypeVar, overload

from opentelemetry.trace import Span

from llmobs_sdk.spans import Value, current, ended, start

Kind = Literal["workflow", "task", "agent", "tool"]
Function = TypeVar("Function", bound=Callable[..., Any])

# Operation and attribute of the name, as OpenTelemetry's conventions for generative AI have them; they know no task.
_CONVENTIONS = {
    "workflow": ("invoke_workflow", "gen_ai.workflow.name"),
    "agent": ("invoke_agent", "gen_ai.agent.name"),
    "tool": ("execute_tool", "gen_ai.tool.name"),
}


@overload
def observe(kind: Function, /) -> Function: ...
@overload
def observe(kind: Kind = "task", /, *, name: str | None = None) -> Callable[[Function], Function]: ...
def observe(kind: Any = "task", /, *, name: str | None = None) -> Any:
    """Make a span of every call of a function: plain, async, generator or async generator.

    ``kind`` is workflow, task, agent or tool; the name is the function's unless given. Arguments and results are not
    recorded. Also usable without parentheses, for a task. An unknown kind raises ValueError where it is written.
    """
    if callable(kind):
        return _observed(kind, "task", None)
    if kind != "task" and kind not in _CONVENTIONS:
        raise ValueError(f"observe: {kind!r} is none of workflow, task, agent, tool")
    return lambda function: _observed(function, kind, name)


def _observed(function: Callable[..., Any], kind: str, given: str | None) -> Callable[..., Any]:
    name = given or str(getattr(function, "__name__", type(function).__name__))
    title, attributes = _described(kind, name)

    def begin() -> Span:
        return start(title, attributes)

    if inspect.isasyncgenfunction(function):
        wrapper = _async_generator(function, begin)
    elif inspect.isgeneratorfunction(function):
        wrapper = _generator(function, begin)
    elif inspect.iscoroutinefunction(function):
        wrapper = _coroutine(function, begin)
    else:
        wrapper = _plain(function, begin)
    return functools.wraps(function)(wrapper)


def _described(kind: str, name: str) -> tuple[str, dict[str, Value]]:
    if kind not in _CONVENTIONS:
        return name, {}
    operation, attribute = _CONVENTIONS[kind]
    return f"{operation} {name}", {"gen_ai.operation.name": operation, attribute: name}


def _plain(function: Callable[..., Any], begin: Callable[[], Span]) -> Callable[..., Any]:
    def call(*arguments: Any, **named: Any) -> Any:
        span = begin()
        with ended(span), current(span):
            return function(*arguments, **named)

    return call


def _coroutine(function: Callable[..., Any], begin: Callable[[], Span]) -> Callable[..., Any]:
    async def call(*arguments: Any, **named: Any) -> Any:
        span = begin()
        with ended(span), current(span):
            return await function(*arguments, **named)

    return call


def _generator(function: Callable[..., Any], begin: Callable[[], Span]) -> Callable[..., Any]:
    def call(*arguments: Any, **named: Any) -> Generator[Any, Any, Any]:
        span = begin()
        with ended(span):
            return (yield from _steps(function(*arguments, **named), span))

    return call


def _steps(items: Generator[Any, Any, Any], span: Span) -> Generator[Any, Any, Any]:
    """Pass everything on; the span is current only while the function itself runs, not while its caller does."""
    step, value = items.send, None
    while True:
        try:
            with current(span):
                item = step(value)
        except StopIteration as stop:
            return stop.value
        try:
            step, value = items.send, (yield item)
        except GeneratorExit:
            with current(span):
                items.close()
            raise
        except BaseException as error:
            step, value = items.throw, error


def _async_generator(function: Callable[..., Any], begin: Callable[[], Span]) -> Callable[..., Any]:
    async def call(*arguments: Any, **named: Any) -> AsyncGenerator[Any, Any]:
        span = begin()
        with ended(span):
            items = function(*arguments, **named)
            step, value = items.asend, None
            while True:
                try:
                    with current(span):
                        item = await step(value)
                except StopAsyncIteration:
                    return
                try:
                    step, value = items.asend, (yield item)
                except GeneratorExit:
                    with current(span):
                        await items.aclose()
                    raise
                except BaseException as error:
                    step, value = items.athrow, error

    return call
