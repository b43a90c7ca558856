"""The environment is read once, leniently, and the user's word on spans wins."""

import sys

import hypothesis
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.runtime import machine

sys.path.append(str(machine.RUNTIME))
from llmobs_runtime.compatibility import release
from llmobs_runtime.reasons import Reason, RefusedError
from llmobs_runtime.settings import DELAY_SECONDS, TIMEOUT_SECONDS, Settings, settings

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
        ({"OTEL_BSP_SCHEDULE_DELAY": "1e308", "OTEL_EXPORTER_OTLP_TIMEOUT": "1e308"}, 86400, 86400, 2048, 512),
        ({"OTEL_BSP_SCHEDULE_DELAY": "5e-324", "OTEL_EXPORTER_OTLP_TIMEOUT": "5e-324"}, 0.001, 0.001, 2048, 512),
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


# What a person, a ConfigMap or another operator may put there: near misses of what is expected, and anything at all.
NEAR = st.sampled_from(
    [
        *("http://gateway:4318", "https://[::1", "http://a:0", "http://a:99999", "http://a\tb", "Full", "Masked", "true", "\udcff"),
        *("nan", "-inf", "1e999", "1e308", "5e-324", "0x10", "\u0661", "%", "%zz=%", "a=b,a=c", "=,="),
    ]
)
VALUES = NEAR | st.text(st.characters(exclude_characters="\0"), max_size=40)
NAMES = [
    *("LLMOBS_ENDPOINT", "LLMOBS_RESOURCE_ATTRIBUTES", "LLMOBS_CONTENT", "LLMOBS_BAGGAGE", "LLMOBS_VECTOR_STORES", "LLMOBS_LOG"),
    *("OTEL_SERVICE_NAME", "OTEL_RESOURCE_ATTRIBUTES", "OTEL_SDK_DISABLED", "OTEL_PYTHON_DISABLED_INSTRUMENTATIONS", SWITCH),
    *("OTEL_BSP_SCHEDULE_DELAY", "OTEL_BSP_MAX_QUEUE_SIZE", "OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "OTEL_BSP_EXPORT_TIMEOUT"),
    *("OTEL_EXPORTER_OTLP_TIMEOUT", "OTEL_EXPORTER_OTLP_TRACES_TIMEOUT"),
]


def outcome(environ: dict[str, str]) -> Settings | Reason:
    try:
        return settings(environ)
    except RefusedError as refused:
        return refused.reason


@hypothesis.settings(max_examples=1000, deadline=None)
@given(environ=st.dictionaries(st.sampled_from(NAMES), VALUES))
def test_any_environment_gives_usable_settings_or_a_reason(environ: dict[str, str]) -> None:
    chosen = outcome(environ)
    if isinstance(chosen, Reason):
        assert chosen in {Reason.INVALID_ENDPOINT, Reason.DISABLED}
        return
    assert chosen.url.startswith(("http://", "https://"))
    # Threads and sockets refuse to wait much longer.
    assert 0.001 <= chosen.timeout <= 86400
    assert 0.001 <= chosen.delay <= 86400
    assert 1 <= chosen.batch <= chosen.queue
    assert all(isinstance(item, str) for pair in chosen.resource.items() for item in pair)
    assert not chosen.content or environ.get("LLMOBS_CONTENT", "").strip() in {"Full", "Masked", "Hash"}
