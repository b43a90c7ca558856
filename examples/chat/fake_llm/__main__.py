"""Serves the fake APIs on every address of the container, port 8080."""

import os
import signal
import sys

from .server import FakeLLM


def main() -> None:
    """Serve until SIGTERM."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with FakeLLM("0.0.0.0", int(os.environ.get("PORT", "8080"))) as server:
        print(f"fake LLM APIs on port {server.server_address[1]}", flush=True)
        signal.pause()


if __name__ == "__main__":
    main()
