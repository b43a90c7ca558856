"""Django, behind a server of each of its interfaces, beside the newest OpenTelemetry of its own."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.runtime import machine
from tests.runtime.pod import Pod
from tests.runtime.serving import serve

# The application's own traces go into a file, so that they can be looked at beside ours.
SITE = """
import os, sys
import django, openai
from django.conf import settings
from django.http import HttpResponse
from django.urls import path
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import ConsoleSpanExporter, SimpleSpanProcessor

settings.configure(ALLOWED_HOSTS=["*"], ROOT_URLCONF=__name__, SECRET_KEY="k")
provider = TracerProvider()
told = open(os.environ["TOLD"], "a", buffering=1)
provider.add_span_processor(SimpleSpanProcessor(ConsoleSpanExporter(out=told, formatter=lambda span: span.name + chr(10))))
trace.set_tracer_provider(provider)
tracer = trace.get_tracer("site")
ask = {"model": "text-embedding-3-small", "input": "x"}

def plain(request):
    with tracer.start_as_current_span("own"):
        openai.OpenAI().embeddings.create(**ask)
    return HttpResponse("ok")

async def later(request):
    with tracer.start_as_current_span("own"):
        await openai.AsyncOpenAI().embeddings.create(**ask)
    return HttpResponse("ok")

urlpatterns = [path("", later if os.environ["LATER"] == "yes" else plain)]
django.setup()
from django.core.asgi import get_asgi_application
from django.core.wsgi import get_wsgi_application
wsgi, asgi = get_wsgi_application(), get_asgi_application()
"""
SERVERS = {
    "wsgi": (["gunicorn", "--bind", "fd://FREE", "--workers", "2", "site_of:wsgi"], "no"),
    "wsgi with a view that waits": (["gunicorn", "--bind", "fd://FREE", "--workers", "2", "site_of:wsgi"], "yes"),
    "asgi": (["uvicorn", "--fd", "FREE", "--workers", "2", "--lifespan", "off", "site_of:asgi"], "yes"),
    "asgi with a plain view": (["uvicorn", "--fd", "FREE", "--workers", "2", "--lifespan", "off", "site_of:asgi"], "no"),
}


@pytest.mark.parametrize("server", SERVERS)
def test_every_request_is_answered_and_its_call_is_told(pod_of: Callable[[Path], Pod], tmp_path: Path, server: str) -> None:
    pod = pod_of(machine.environment("django"))
    pod.path = [str(tmp_path)]
    (tmp_path / "site_of.py").write_text(SITE)
    command, later = SERVERS[server]
    serve(pod, command, tmp_path, requests=6, LATER=later, TOLD=str(tmp_path / "told"))
    spans = pod.spans(6)
    assert {span.name for span in spans} == {"embeddings text-embedding-3-small"}
    assert len({span.span_id for span in spans}) == len(spans) == 6
    # Each below the application's own span, of which only its own backend hears.
    assert all(span.parent_id for span in spans)
    assert (tmp_path / "told").read_text() == "own\n" * 6
