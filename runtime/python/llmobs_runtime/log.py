"""Lines on standard error for people who look for a fault; silent unless LLMOBS_LOG is info or debug.

The application's logging is not used: its handlers may send records anywhere, also to an LLM's own trace.
"""

import os
import sys
import traceback

_LEVELS = {"debug": 2, "info": 1}


def _enabled(level: str) -> bool:
    return _LEVELS.get(os.environ.get("LLMOBS_LOG", "").strip().lower(), 0) >= _LEVELS[level]


def _write(text: str) -> None:
    try:
        sys.stderr.write(f"llmobs: {text}\n")
    except (OSError, ValueError, AttributeError, RuntimeError):
        # Closed, full or absent standard error is the application's business; so is one that a signal interrupted.
        return


def info(text: str) -> None:
    """Write one line about what was decided."""
    if _enabled("info"):
        _write(text)


def debug(text: str) -> None:
    """Write one line about what happens while spans are sent."""
    if _enabled("debug"):
        _write(text)


def failure(text: str, error: BaseException) -> None:
    """Write one line about an unexpected error; with debug also where it was raised."""
    info(f"{text}: {type(error).__name__}: {error}")
    if _enabled("debug"):
        _write("".join(traceback.format_exception(type(error), error, error.__traceback__)).rstrip())
