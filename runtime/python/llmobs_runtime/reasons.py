"""Why the runtime observes a library, or does not."""

from enum import Enum


class Reason(str, Enum):
    """The outcome of an activation, as reported on standard error when LLMOBS_LOG is set."""

    ACTIVE = "Active"
    LISTENING = "Listening"
    DISABLED = "Disabled"
    INVALID_ENDPOINT = "InvalidEndpoint"
    OLD_OPENTELEMETRY = "OldOpenTelemetry"
    UNSUPPORTED_LIBRARY = "UnsupportedLibrary"
    APPLICATION_INSTRUMENTS = "ApplicationInstruments"
    FAILED = "Failed"


class RefusedError(Exception):
    """The library is left alone, for this reason."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(f"{reason.value}: {detail}")
        self.reason = reason
