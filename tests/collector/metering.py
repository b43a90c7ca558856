"""What the tests of metrics send: a real application's code, and data points that no SDK would send."""

from collections.abc import Mapping
from typing import Any

ODD_POINTS: Mapping[str, Mapping[str, Any]] = {
    "no number": {"sum": "NaN"},
    "endless": {"sum": "Infinity"},
    "negative": {"sum": -5.0},
    "huge": {"sum": 1e300},
    "absent": {"sum": None},
    "none": {"count": "0"},
    "many": {"count": str(2**64 - 1)},
    "negative when signed": {"count": str(2**63)},
    "no buckets": {"bucketCounts": [], "explicitBounds": []},
    "too few": {"bucketCounts": ["1"]},
    "too many": {"bucketCounts": ["1"] * 2000, "explicitBounds": [float(i) for i in range(1999)]},
    "other count": {"bucketCounts": [str(2**64 - 1)] * 15},
    "odd bounds": {"explicitBounds": ["NaN", "-Infinity", -5.0, "Infinity", 1e308, *([0.0] * 9)]},
    "falling bounds": {"explicitBounds": [float(14 - i) for i in range(14)]},
    "no time": {"startTimeUnixNano": "0", "timeUnixNano": str(2**64 - 1)},
}

APPLICATION = """
import os, sys
from openai import OpenAI, APIStatusError
from opentelemetry import metrics, trace
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.instrumentation.genai.openai import OpenAIInstrumentor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

meters = MeterProvider([PeriodicExportingMetricReader(OTLPMetricExporter(), export_interval_millis=3600000)])
metrics.set_meter_provider(meters)
if "spans" in sys.argv:
    tracers = TracerProvider()
    tracers.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(tracers)
OpenAIInstrumentor().instrument()
client = OpenAI(max_retries=0)
said = [{"role": "user", "content": "a question"}]
for number in range(6):
    headers = {"X-Fake-Usage": f"uncached={100 + number},output={10 + number}"}
    client.chat.completions.create(model="gpt-4o", messages=said, extra_headers=headers)
    if number == 2:
        meters.force_flush()
try:
    client.chat.completions.create(model="gpt-4o", messages=said, extra_headers={"X-Fake-Status": "429"})
except APIStatusError:
    pass
meters.shutdown()
if "spans" in sys.argv:
    tracers.shutdown()
"""

GIVEN, MADE = sum(range(100, 106)), sum(range(10, 16))
"""Input and output tokens of one process of it."""
