"""Images without a registry: what is written is what containerd would be given."""

import hashlib
import io
import json
import tarfile
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from binaries.failure import Failed
from cluster import dockerfile
from cluster.oci import Config, write
from cluster.registry import server

NAME = "quay.io/some/thing:v1"
MANIFEST = "/v2/some/thing/manifests/v1?ns=quay.io"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A small file tree with an executable and a link."""
    folder = tmp_path / "root"
    (folder / "bin").mkdir(parents=True)
    (folder / "bin" / "hello").write_text("#!/bin/sh\n")
    (folder / "bin" / "hello").chmod(0o700)
    (folder / "sh").symlink_to("bin/hello")
    return folder


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    """A registry over an empty folder, on a free port."""
    (tmp_path / "served").mkdir()
    with server(0, tmp_path / "served") as serving:
        thread = threading.Thread(target=serving.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{serving.server_address[1]}"
        serving.shutdown()
        thread.join()


def fetched(url: str, method: str = "GET") -> tuple[bytes, Any]:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(urllib.request.Request(url, method=method), timeout=60) as answer:
        return answer.read(), answer.headers


def test_an_image_comes_back_whole(tmp_path: Path, root: Path, address: str) -> None:
    digest = write(tmp_path / "served" / "a.tar", NAME, root, Config(("/bin/hello",), user="65534"))
    body, headers = fetched(address + MANIFEST)
    assert headers["Docker-Content-Digest"] == digest == f"sha256:{hashlib.sha256(body).hexdigest()}"
    assert headers["Content-Type"] == "application/vnd.oci.image.manifest.v1+json"
    manifest = json.loads(body)
    config = json.loads(fetched(f"{address}/v2/some/thing/blobs/{manifest['config']['digest']}?ns=quay.io")[0])
    assert config["config"]["Entrypoint"] == ["/bin/hello"]
    assert config["config"]["User"] == "65534"
    layer, _ = fetched(f"{address}/v2/some/thing/blobs/{manifest['layers'][0]['digest']}?ns=quay.io")
    assert config["rootfs"]["diff_ids"] == [f"sha256:{hashlib.sha256(layer).hexdigest()}"]
    with tarfile.open(fileobj=io.BytesIO(layer)) as tar:
        assert tar.getmember("sh").linkname == "bin/hello"
        assert tar.getmember("bin/hello").mode & 0o005 == 0o005  # anybody may run it, whatever the umask was


def test_a_head_request_has_no_body(tmp_path: Path, root: Path, address: str) -> None:
    digest = write(tmp_path / "served" / "a.tar", NAME, root, Config())
    body, headers = fetched(address + MANIFEST, method="HEAD")
    assert (body, headers["Docker-Content-Digest"]) == (b"", digest)


@pytest.mark.parametrize("path", [MANIFEST.replace("v1?", "v2?"), MANIFEST.replace("quay.io", "docker.io"), "/v2/x/tags/list"])
def test_what_is_not_there_is_not_found(tmp_path: Path, root: Path, address: str, path: str) -> None:
    write(tmp_path / "served" / "a.tar", NAME, root, Config())
    with pytest.raises(urllib.error.HTTPError, match="404"):
        fetched(address + path)


def test_a_replaced_tar_is_noticed(tmp_path: Path, root: Path, address: str) -> None:
    first = write(tmp_path / "served" / "a.tar", NAME, root, Config())
    assert fetched(address + MANIFEST)[1]["Docker-Content-Digest"] == first
    second = write(tmp_path / "served" / "a.tar", NAME, root, Config(user="1"))
    assert fetched(address + MANIFEST)[1]["Docker-Content-Digest"] == second != first


def test_a_broken_tar_does_not_hide_the_others(tmp_path: Path, root: Path, address: str) -> None:
    (tmp_path / "served" / "0.tar").write_text("no tar")
    write(tmp_path / "served" / "a.tar", NAME, root, Config())
    assert fetched(address + MANIFEST)[0]


def test_the_same_tree_is_the_same_image(tmp_path: Path, root: Path) -> None:
    first = write(tmp_path / "one.tar", NAME, root, Config())
    (root / "bin" / "hello").touch()
    assert write(tmp_path / "two.tar", NAME, root, Config()) == first


DOCKERFILE = """\
ARG PYTHON=3.11
FROM python:${PYTHON}-slim@sha256:%s AS build
COPY requirements.txt \\
     operator/ /src/
RUN --mount=type=bind,source=runtime,target=/r --mount=type=cache,target=/c true
FROM python:3.11-slim
COPY --from=build /src /src
# COPY secret.txt /
""" % ("0" * 64)


def test_a_dockerfile_says_what_it_reads() -> None:
    found = dockerfile.parsed(DOCKERFILE, {})
    assert found.bases == ("python:3.11-slim",)
    assert found.sources == ("requirements.txt", "operator/", "runtime")
    assert "@sha256" not in found.text


def test_only_what_it_names_goes_in(tmp_path: Path) -> None:
    for name in ("requirements.txt", "operator/llmobs/a.py", "operator/__pycache__/a.pyc", "secret.txt", "runtime/r"):
        (tmp_path / "context" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "context" / name).write_text("x")
    names = dockerfile.files(tmp_path / "context", dockerfile.parsed(DOCKERFILE, {}).sources)
    assert [str(name) for name in names] == ["operator/llmobs/a.py", "requirements.txt", "runtime/r"]
    dockerfile.stage(tmp_path / "context", names, tmp_path / "staged")
    assert (tmp_path / "staged" / "operator" / "llmobs" / "a.py").read_text() == "x"


def test_a_missing_source_is_named(tmp_path: Path) -> None:
    with pytest.raises(Failed, match=r"copies nothing\.txt"):
        dockerfile.files(tmp_path, ("nothing.txt",))


@pytest.mark.parametrize(
    ("short", "full"),
    [
        ("python:3.11-slim", "docker.io/library/python:3.11-slim"),
        ("otel/opentelemetry-collector:1", "docker.io/otel/opentelemetry-collector:1"),
        ("ghcr.io/a/b:1", "ghcr.io/a/b:1"),
        ("localhost:5000/b:1", "localhost:5000/b:1"),
    ],
)
def test_names_are_completed(short: str, full: str) -> None:
    assert dockerfile.full_name(short) == full
