"""A workload that uses no LLM: counts primes, slowly, and answers a health check."""

import json
import os
import signal
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count

PAUSE_SECONDS = 0.05


class Handler(BaseHTTPRequestHandler):
    """Answers the health check."""

    def do_GET(self) -> None:
        """Say that the process lives, and what of the telemetry bundle it carries: nothing."""
        loaded = sum(name.partition(".")[0] in {"opentelemetry", "wrapt"} for name in sys.modules)
        body = json.dumps({"telemetryModules": loaded, "threads": threading.active_count()}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- the interface's name
        """Stay silent."""


def main() -> None:
    """Work until SIGTERM."""
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    server = ThreadingHTTPServer(("", int(os.environ.get("PORT", "8080"))), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print("working", flush=True)
    for number in count(2):
        _ = all(number % divisor for divisor in range(2, int(number**0.5) + 1))
        if stop.wait(PAUSE_SECONDS):
            return


if __name__ == "__main__":
    main()
