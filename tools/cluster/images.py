"""Images without a registry: the Python base image, and the static test binaries under their upstream names."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from zipfile import ZipFile

from binaries.families import family
from binaries.places import layout
from binaries.wheel import download

from cluster import rootfs
from cluster.oci import Config, write
from cluster.packages import IMAGE_COMMANDS, command, require
from cluster.store import folder, kept, key

PYTHON = "docker.io/library/python:3.11-slim"
BUSYBOX = "docker.io/library/busybox:1.37"
_PIP = Path(__file__).with_name("pip.txt")
_CERTIFICATES = "pip/_vendor/certifi/cacert.pem"
_NOBODY = "65534"


@dataclass(frozen=True)
class Static:
    """An image of nothing but static binaries (path in the image: name among the test binaries) and certificates."""

    name: str
    binaries: Mapping[str, str]
    config: Config


def statics() -> dict[str, Static]:
    """Every such image by the short name `ensure` takes. Names and tags are those that manifests in the world ask for."""
    version = {name: family(name).version() for name in ("prometheus", "prometheus-operator", "alertmanager", "otelcol")}
    operator = f"v{version['prometheus-operator']}"
    collector = ("--config", "/etc/otelcol-contrib/config.yaml")
    return {
        "pause": Static("registry.k8s.io/pause:3.10.1", {"/pause": "pause"}, Config(("/pause",), user="65535:65535")),
        "prometheus-operator": Static(
            f"quay.io/prometheus-operator/prometheus-operator:{operator}",
            {"/bin/operator": "prometheus-operator"},
            Config(("/bin/operator",), user=_NOBODY),
        ),
        "prometheus-config-reloader": Static(
            f"quay.io/prometheus-operator/prometheus-config-reloader:{operator}",
            {"/bin/prometheus-config-reloader": "prometheus-config-reloader"},
            Config(("/bin/prometheus-config-reloader",), user=_NOBODY),
        ),
        "prometheus": Static(
            f"quay.io/prometheus/prometheus:v{version['prometheus']}",
            {"/bin/prometheus": "prometheus", "/bin/promtool": "promtool"},
            Config(("/bin/prometheus",), user=_NOBODY, folder="/prometheus"),
        ),
        "alertmanager": Static(
            f"quay.io/prometheus/alertmanager:v{version['alertmanager']}",
            {"/bin/alertmanager": "alertmanager"},
            Config(("/bin/alertmanager",), user=_NOBODY, folder="/alertmanager"),
        ),
        "otelcol": Static(
            f"docker.io/otel/opentelemetry-collector-contrib:{version['otelcol']}",
            {"/otelcol-contrib": "otelcol"},
            Config(("/otelcol-contrib",), collector, user="10001"),
        ),
    }


def ensure(names: Iterable[str] | None = None) -> list[str]:
    """Make the images that are missing (all, when none is named) and serve them; the result is their full names.

    Raises Failed when a test binary is not built, and LookupError for a name that `statics`, `python` and `busybox` do not know.
    """
    known = statics()
    own = {"python": (PYTHON, python), "busybox": (BUSYBOX, busybox)}
    wanted = list(names) if names is not None else [*known, *own]
    for name in wanted:
        if name not in own and name not in known:
            raise LookupError(f"no image {name!r}; there are: {', '.join([*known, *own])}")
    for name in wanted:
        own[name][1]() if name in own else static(known[name])
    return [own[name][0] if name in own else known[name].name for name in wanted]


def static(image: Static) -> Path:
    """Make and serve one static image; the result is its tar."""
    where = layout()
    files = {place: where.binary(name).resolve() for place, name in image.binaries.items()}
    config = asdict(image.config)
    hashed = key(image.name, sorted(files), config, _PIP.read_text(), files=files.values(), code=("images.py", "oci.py"))

    def make(tar: Path) -> None:
        with tempfile.TemporaryDirectory(dir=scratch()) as made:
            root = Path(made)
            _static_tree(root, files, image.config.folder)
            write(tar, image.name, root, image.config)

    return kept(image.name, hashed, make)


def python() -> Path:
    """Make and serve the Python base image; the result is its tar."""
    require(IMAGE_COMMANDS, folder() / "apt.log")
    found = rootfs.source()
    files = [found.executable, found.stdlib / "site.py"]
    hashed = key(PYTHON, found.version, _PIP.read_text(), files=files, code=("images.py", "rootfs.py", "oci.py"))
    variables = ("LANG=C.UTF-8", f"PYTHON_VERSION={found.version}")

    def make(tar: Path) -> None:
        with tempfile.TemporaryDirectory(dir=scratch()) as made:
            rootfs.make(Path(made), found, pip_wheel())
            write(tar, PYTHON, Path(made), Config(command=("python3",), environment=variables))

    return kept(PYTHON, hashed, make)


def busybox() -> Path:
    """Make and serve the busybox base image from Debian's static binary; the result is its tar."""
    require(IMAGE_COMMANDS, folder() / "apt.log")
    binary = command("busybox").resolve()
    hashed = key(BUSYBOX, files=[binary], code=("images.py", "rootfs.py", "oci.py"))

    def make(tar: Path) -> None:
        with tempfile.TemporaryDirectory(dir=scratch()) as made:
            rootfs.make_busybox(Path(made))
            write(tar, BUSYBOX, Path(made), Config(command=("sh",)))

    return kept(BUSYBOX, hashed, make)


def pip_wheel() -> Path:
    """The pinned pip, fetched once."""
    target = folder() / "pip" / f"{key(_PIP.read_text())}.whl"
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=target.parent) as scratch:
            download(_PIP, Path(scratch), what="pip for the base image").replace(target)
    return target


def _static_tree(root: Path, files: Mapping[str, Path], home: str) -> None:
    for place in ("tmp", home.lstrip("/"), "etc/ssl/certs"):
        (root / place).mkdir(parents=True, exist_ok=True)
    (root / "tmp").chmod(0o1777)
    (root / home.lstrip("/")).chmod(0o777 if home != "/" else 0o755)
    for place, binary in files.items():
        target = root / place.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(binary, target)
    (root / "etc" / "passwd").write_text("root:x:0:0:root:/:/sbin/nologin\nnobody:x:65534:65534:nobody:/:/sbin/nologin\n")
    (root / "etc" / "group").write_text("root:x:0:\nnogroup:x:65534:\n")
    with ZipFile(pip_wheel()) as wheel:
        (root / "etc" / "ssl" / "certs" / "ca-certificates.crt").write_bytes(wheel.read(_CERTIFICATES))


def scratch() -> Path:
    """Beside the store, so that nothing big lands on a small /tmp."""
    place = folder() / "work"
    place.mkdir(parents=True, exist_ok=True)
    return place
