"""A Python process starts as it would without us, whatever it brings and however it is configured."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.runtime import machine
from tests.runtime.pod import Finished, Pod, finish

OLD = ["2.7", "3.6", "3.7", "3.8", "3.9"]
CALL = """
    import openai
    openai.OpenAI().embeddings.create(model="text-embedding-3-small", input="x")
"""


@pytest.mark.parametrize("version", machine.SUPPORTED)
def test_supported_pythons(pod_of: Callable[[Path], Pod], version: str) -> None:
    """One folder, built by one Python, serves them all."""
    pod = pod_of(machine.environment("plain", machine.interpreter_or_skip(version)))
    done = pod.run("""
        import anthropic, openai
        openai.OpenAI().chat.completions.create(model="gpt-4o", messages=[{"role": "user", "content": "hello"}])
        anthropic.Anthropic().messages.create(model="claude-sonnet-4-6", max_tokens=9, messages=[{"role": "user", "content": "hello"}])
    """)
    assert (done.status, done.out, done.err) == (0, "", "")
    assert sorted(span.name for span in pod.spans(2)) == ["chat claude-sonnet-4-6", "chat gpt-4o"]


@pytest.mark.parametrize("version", OLD)
def test_older_pythons_are_left_alone(pod_of: Callable[[Path], Pod], version: str) -> None:
    pod = pod_of(Path(machine.interpreter_or_skip(version)))
    code = "import sys; print('%d.%d %s' % (sys.version_info[0], sys.version_info[1], 'llmobs_runtime.hook' in sys.modules))"
    done = pod.run(code)
    assert (done.status, done.out, done.err) == (0, f"{version} False\n", "")
    said = pod.run(code, LLMOBS_LOG="info").err
    assert said == f"llmobs: UnsupportedPython: {version} is older than 3.10\n"


@pytest.mark.parametrize("option", ["-I", "-E", "-S"])
def test_isolated_pythons_are_not_reached(pod: Pod, option: str) -> None:
    done = pod.run("import sys; print([name for name in sys.modules if 'llmobs' in name])", option)
    assert (done.status, done.out, done.err) == (0, "[]\n", "")


class TestOwnCustomisation:
    """The application's sitecustomize and usercustomize run once, under their own names, wherever they stand."""

    NOTE = "import os; os.write(1, b'{name} ')\n{rest}"
    REPORT = (
        CALL
        + """
    import sys
    print(*[sys.modules[name].__file__.split("/")[-2] for name in ("sitecustomize", "usercustomize") if name in sys.modules])
    """
    )

    def python(self, pod: Pod, *before: Path, after: Path | None = None) -> Finished:
        """Run the interpreter itself: a virtual environment has no usercustomize."""
        packages = next((pod.python.parent.parent / "lib").glob("python*/site-packages"))
        path = [*before, pod.bundle, *([after] if after else []), packages]
        environ = pod.environ(PYTHONPATH=":".join(map(str, path)))
        command = [machine.base_interpreter(), "-c", "\n".join(line[4:] for line in self.REPORT.splitlines())]
        pipe = subprocess.PIPE
        return finish(subprocess.Popen(command, env=environ, stdout=pipe, stderr=pipe, text=True, cwd="/"))

    def folder(self, tmp_path: Path, *names: str, rest: str = "") -> Path:
        folder = tmp_path / "own"
        folder.mkdir()
        for name in names:
            (folder / f"{name}.py").write_text(self.NOTE.format(name=name, rest=rest))
        return folder

    def test_none(self, pod: Pod) -> None:
        assert self.python(pod) == Finished(0, f"{pod.bundle.name} {pod.bundle.name}\n", "")
        assert len(pod.gateway.spans) == 1

    def test_after_ours(self, pod: Pod, tmp_path: Path) -> None:
        own = self.folder(tmp_path, "sitecustomize", "usercustomize")
        assert self.python(pod, after=own) == Finished(0, "sitecustomize usercustomize own own\n", "")
        assert len(pod.gateway.spans) == 1

    def test_before_ours(self, pod: Pod, tmp_path: Path) -> None:
        own = self.folder(tmp_path, "sitecustomize")
        assert self.python(pod, own) == Finished(0, f"sitecustomize own {pod.bundle.name}\n", "")
        assert len(pod.gateway.spans) == 1

    def test_before_ours_and_calling_the_next(self, pod: Pod, tmp_path: Path) -> None:
        """What other agents do: drop their own folder from the path, and import the name again."""
        rest = "import sys; sys.path.pop(0); del sys.modules['sitecustomize']; import sitecustomize"
        own = self.folder(tmp_path, "sitecustomize", rest=rest)
        assert self.python(pod, own).out.split()[0] == "sitecustomize"
        assert len(pod.gateway.spans) == 1

    def test_before_ours_in_a_virtual_environment(self, pod: Pod, tmp_path: Path) -> None:
        """The one place where we are not reached: documented, and harmless."""
        pod.path = [str(self.folder(tmp_path, "sitecustomize"))]
        assert pod.run(CALL) == Finished(0, "sitecustomize ", "")
        assert pod.gateway.spans == []

    def test_before_ours_in_a_virtual_environment_and_letting_us_in(self, pod: Pod, tmp_path: Path) -> None:
        rest = "from llmobs_runtime import start; start.begin(__name__)"
        pod.path = [str(self.folder(tmp_path, "sitecustomize", rest=rest))]
        assert pod.run(CALL) == Finished(0, "sitecustomize ", "")
        assert len(pod.gateway.spans) == 1

    @pytest.mark.parametrize("rest", ["raise ValueError('own')", "raise ImportError('own', name='own')", "raise SystemExit(3)"])
    def test_errors_of_the_application_are_its_own(self, pod: Pod, tmp_path: Path, rest: str) -> None:
        own = self.folder(tmp_path, "sitecustomize", rest=rest)
        code = "import sys; print('sitecustomize' in sys.modules)"
        without = finish(pod.popen([str(pod.python), "-c", code], PYTHONPATH=str(own)))
        done = finish(pod.popen([str(pod.python), "-c", code], PYTHONPATH=f"{pod.bundle}:{own}"))
        assert (done.status, done.out) == (without.status, without.out)
        assert done.err.splitlines()[-1:] == without.err.splitlines()[-1:]


@pytest.mark.parametrize(
    "environ",
    [
        {"LLMOBS_ENDPOINT": "not a URL"},
        {"LLMOBS_ENDPOINT": "http://"},
        {"LLMOBS_ENDPOINT": "http://[::1"},
        {"LLMOBS_ENDPOINT": "http://gateway:port"},
        {"LLMOBS_ENDPOINT": "ftp://gateway:4318"},
        {"LLMOBS_ENDPOINT": "unix:///run/gateway"},
    ],
    ids=str,
)
def test_unusable_endpoints_do_no_harm(pod: Pod, environ: dict[str, str]) -> None:
    done = pod.run(CALL, **environ)
    assert (done.status, done.out, done.err) == (0, "", "")
    said = pod.run(CALL, LLMOBS_LOG="info", **environ).err
    assert said.startswith("llmobs: openai: InvalidEndpoint: ")
    assert said.count("\n") == 1


@pytest.mark.parametrize(
    "environ",
    [
        {"LLMOBS_RESOURCE_ATTRIBUTES": "no pairs,=,a=%zz,,"},
        {"LLMOBS_CONTENT": "\udcff"},
        {"LLMOBS_LOG": "loud"},
        {"OTEL_RESOURCE_ATTRIBUTES": ",,,"},
        {"OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT": "many"},
        {"OTEL_BSP_SCHEDULE_DELAY": "soon", "OTEL_BSP_MAX_QUEUE_SIZE": "-1", "OTEL_BSP_MAX_EXPORT_BATCH_SIZE": "0.1"},
        {"OTEL_BSP_SCHEDULE_DELAY": "1e308", "OTEL_EXPORTER_OTLP_TIMEOUT": "1e308", "OTEL_BSP_MAX_QUEUE_SIZE": "1e308"},
        {"OTEL_EXPORTER_OTLP_TIMEOUT": "nan", "OTEL_EXPORTER_OTLP_CERTIFICATE": "/nonexistent"},
        {"OTEL_PROPAGATORS": "unknown", "OTEL_TRACES_SAMPLER": "unknown", "OTEL_PYTHON_CONTEXT": "contextvars_context"},
        {"OTEL_INSTRUMENTATION_GENAI_COMPLETION_HOOK": "unknown", "OTEL_EXPERIMENTAL_RESOURCE_DETECTORS": "unknown"},
        {"OTEL_PYTHON_METER_PROVIDER": "unknown"},
    ],
    ids=str,
)
def test_unusable_settings_cost_no_span(pod: Pod, environ: dict[str, str]) -> None:
    done = pod.run(CALL, **environ)
    assert (done.status, done.out, done.err) == (0, "", "")
    assert len(pod.gateway.spans) == 1


@pytest.mark.parametrize(
    ("environ", "reason"),
    [
        ({"OTEL_SDK_DISABLED": "TRUE"}, "Disabled: OTEL_SDK_DISABLED is true"),
        ({"OTEL_PYTHON_DISABLED_INSTRUMENTATIONS": "django, openai"}, "Disabled: named in OTEL_PYTHON_DISABLED_INSTRUMENTATIONS"),
        ({"OTEL_PYTHON_DISABLED_INSTRUMENTATIONS": "*"}, "Disabled: named in OTEL_PYTHON_DISABLED_INSTRUMENTATIONS"),
    ],
)
def test_what_the_user_switches_off(pod: Pod, environ: dict[str, str], reason: str) -> None:
    done = pod.run(CALL, LLMOBS_LOG="info", **environ)
    assert (done.status, done.out, done.err) == (0, "", f"llmobs: openai: {reason}\n")
    assert pod.gateway.requests == []


def test_what_the_user_says_of_the_service_wins(pod: Pod) -> None:
    attributes = "team=search,service.name=other,service.instance.id=mine"
    pod.run(CALL, OTEL_SERVICE_NAME="shop", OTEL_RESOURCE_ATTRIBUTES=attributes)
    resource = pod.spans(1)[0].resource
    assert {key: resource[key] for key in ("service.name", "team", "service.instance.id")} == {
        "service.name": "shop",
        "team": "search",
        "service.instance.id": "mine",
    }


def test_limits_of_the_user_hold(pod: Pod) -> None:
    pod.run(CALL, OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT="2")
    assert len(pod.spans(1)[0].attributes) == 2


def test_the_log_says_what_is_active(pod: Pod) -> None:
    assert pod.run(CALL, LLMOBS_LOG="info").err == "llmobs: openai: Active\n"


def test_the_environment_stays(pod: Pod) -> None:
    code = "import os\n    before = dict(os.environ)\n" + CALL + "\n    assert before == dict(os.environ)"
    assert pod.run("    " + code).status == 0
    assert len(pod.gateway.spans) == 1


def test_a_broken_bundle_does_no_harm(pod: Pod, tmp_path: Path) -> None:
    for name in ("sitecustomize.py", "usercustomize.py", "llmobs_runtime"):
        (tmp_path / name).symlink_to(pod.bundle / name)
    pod.bundle = tmp_path
    (tmp_path / "bundle" / "opentelemetry").mkdir(parents=True)
    done = pod.run(CALL)
    assert (done.status, done.out, done.err) == (0, "", "")
    assert pod.run(CALL, LLMOBS_LOG="info").err.startswith("llmobs: openai: Failed: ModuleNotFoundError: ")


def test_a_library_that_is_too_old_is_left_alone(pod: Pod, tmp_path: Path) -> None:
    (tmp_path / "openai").mkdir()
    (tmp_path / "openai" / "__init__.py").write_text("print('openai of old')")
    (tmp_path / "openai-0.1.0.dist-info").mkdir()
    (tmp_path / "openai-0.1.0.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: openai\nVersion: 0.1.0\n")
    pod.path = [str(tmp_path)]
    done = pod.run("import openai", LLMOBS_LOG="info")
    assert (done.status, done.out) == (0, "openai of old\n")
    assert "UnsupportedLibrary" in done.err or "Failed" in done.err
    assert pod.run("import openai").err == ""
