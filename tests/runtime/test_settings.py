"""The environment is read once, leniently, and the user's word on spans wins."""

import sys

import pytest

from tests.runtime import machine

sys.path.append(str(machine.RUNTIME))
from llmobs_runtime.compatibility import release
from llmobs_runtime.reasons import Reason, RefusedError
from llmobs_runtime.settings import DELAY_SECONDS, TIMEOUT_SECONDS, settings

SWITCH = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"
BASE = {"LLMOBS_ENDPOINT": "http://gateway:4318"}


@pytest.mark.parametrize(
    ("endpoint", "url"),
    [
        ("http://gateway:4318", "http://gateway:4318/v1/traces"),
        (" http://gateway:4318/ ", "http://gateway:4318/v1/traces"),
        ("https://gateway.example.com/otlp/", "https://gateway.example.com/otlp/v1/traces"),
        ("http://[fd00::1]:4318", "http://[fd00::1]:4318/v1/traces"),
    ],
)
def test_endpoint(endpoint: str, url: str) -> None:
    assert settings({"LLMOBS_ENDPOINT": endpoint}).url == url


@pytest.mark.parametrize("endpoint", ["", "gateway", "gateway:4318", "http://", "http://:4318", "http://a:99999", "http://a:0"])
def test_endpoint_that_is_none(endpoint: str) -> None:
    with pytest.raises(RefusedError) as refused:
        settings({"LLMOBS_ENDPOINT": endpoint})
    assert refused.value.reason is Reason.INVALID_ENDPOINT


def test_resource_is_merged_by_key_and_the_user_wins() -> None:
    environ = {
        "LLMOBS_RESOURCE_ATTRIBUTES": "service.name=ours,team=a%2Cb, feature = chat ,bad,=empty",
        "OTEL_RESOURCE_ATTRIBUTES": "team=theirs",
    }
    assert settings(BASE | environ).resource == {"service.name": "ours", "team": "theirs", "feature": "chat"}
    assert settings(BASE | environ | {"OTEL_SERVICE_NAME": "named"}).resource["service.name"] == "named"


def test_baggage() -> None:
    assert settings(BASE).baggage == ("user.id", "session.id", "enduser.id")
    assert settings(BASE | {"LLMOBS_BAGGAGE": "tenant, user.id,,"}).baggage == ("tenant", "user.id")
    assert settings(BASE | {"LLMOBS_BAGGAGE": ""}).baggage == ()


@pytest.mark.parametrize("allowed", ["Full", "Masked", "Hash", " Full "])
@pytest.mark.parametrize("wanted", ["", "true", "SPAN_ONLY", "span_and_event"])
def test_content_is_sent(allowed: str, wanted: str) -> None:
    assert settings(BASE | {"LLMOBS_CONTENT": allowed, SWITCH: wanted}).content


@pytest.mark.parametrize(
    ("allowed", "wanted"),
    [
        *((allowed, "SPAN_AND_EVENT") for allowed in ("", "None", "full", "True", "Everything")),
        *(("Full", wanted) for wanted in ("NO_CONTENT", "EVENT_ONLY", "false", "a typing error")),
    ],
)
def test_content_is_not_sent(allowed: str, wanted: str) -> None:
    assert not settings(BASE | {"LLMOBS_CONTENT": allowed, SWITCH: wanted}).content


@pytest.mark.parametrize(
    ("environ", "timeout", "delay", "queue", "batch"),
    [
        ({}, TIMEOUT_SECONDS, DELAY_SECONDS, 2048, 512),
        ({"OTEL_EXPORTER_OTLP_TIMEOUT": "5", "OTEL_BSP_SCHEDULE_DELAY": "200"}, 5, 0.2, 2048, 512),
        ({"OTEL_EXPORTER_OTLP_TIMEOUT": "5", "OTEL_EXPORTER_OTLP_TRACES_TIMEOUT": "3"}, 3, DELAY_SECONDS, 2048, 512),
        ({"OTEL_BSP_EXPORT_TIMEOUT": "500"}, 0.5, DELAY_SECONDS, 2048, 512),
        ({"OTEL_BSP_MAX_QUEUE_SIZE": "100"}, TIMEOUT_SECONDS, DELAY_SECONDS, 100, 100),
        ({"OTEL_BSP_MAX_QUEUE_SIZE": "0.5", "OTEL_BSP_MAX_EXPORT_BATCH_SIZE": "x"}, TIMEOUT_SECONDS, DELAY_SECONDS, 1, 1),
        ({"OTEL_BSP_SCHEDULE_DELAY": "inf", "OTEL_EXPORTER_OTLP_TIMEOUT": "-1"}, TIMEOUT_SECONDS, DELAY_SECONDS, 2048, 512),
    ],
)
def test_figures(environ: dict[str, str], timeout: float, delay: float, queue: int, batch: int) -> None:
    chosen = settings(BASE | environ)
    assert (chosen.timeout, chosen.delay, chosen.queue, chosen.batch) == (timeout, delay, queue, batch)


@pytest.mark.parametrize(
    ("version", "parsed"), [("1.45.2", (1, 45)), ("0.66b2", (0, 66)), ("26", (26, 0)), ("1.3b0", (1, 3)), ("unknown", (0, 0))]
)
def test_release(version: str, parsed: tuple[int, int]) -> None:
    assert release(version) == parsed
