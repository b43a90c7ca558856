"""Work on many policies in turns of the event loop, so that no pod waits for all of it."""

from __future__ import annotations

import asyncio
import gc
import logging
from collections.abc import Callable

logger = logging.getLogger(__name__)

Work = Callable[[], bool]
"""Does a part and says whether more is left; one that fails is not tried again."""


def at_once(work: Work) -> None:
    """Do all of it now: where nobody waits."""
    while work():
        pass


def between_requests(work: Work) -> None:
    """Do one part in each turn of the running loop.

    What it makes stays for long, and holds no cycles: it is kept out of the garbage collector, which would otherwise stop to look at
    all of it again and again. What was garbage before is collected first, so that none of it is kept too.
    """
    gc.collect()
    gc.disable()
    asyncio.get_running_loop().call_soon(_turn, work)


def _turn(work: Work) -> None:
    try:
        more = work()
    except Exception:  # a mistake of ours in one part leaves that part as it was
        logger.exception("a policy could not be made ready, what it was before keeps applying")
        more = True
    if more:
        asyncio.get_running_loop().call_soon(_turn, work)
    else:
        gc.freeze()
        gc.enable()
