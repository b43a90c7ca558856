"""The folder that goes into every pod: small, pure, the same every time, and in step with its lock."""

import re
import stat
import subprocess
import sys
import tomllib
from email.parser import HeaderParser
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from tests.runtime import machine

sys.path.append(str(machine.RUNTIME))
from llmobs_runtime import __version__, libraries
from llmobs_runtime.compatibility import SUPPORTED, WIDER, release

LOCKS = sorted(
    [*machine.ENVIRONMENTS.glob("*.lock"), machine.RUNTIME / "requirements.lock", machine.ROOT / "examples/chat/requirements.lock"]
)

# How programs and libraries begin: ELF, Mach-O, Windows', archives of ar.
NATIVE = (b"\x7fELF", b"\xfe\xed\xfa", b"\xcf\xfa\xed\xfe", b"\xca\xfe\xba\xbe", b"MZ", b"!<arch>")


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_what_an_application_could_import_from_the_path_entry(bundle: Path) -> None:
    """PYTHONPATH comes before the standard library, so nothing that anybody else has may lie at the top."""
    names = {path.name for path in bundle.iterdir()}
    assert names == {"sitecustomize.py", "usercustomize.py", "llmobs_runtime", "bundle", "__pycache__"}


def test_size(bundle: Path) -> None:
    assert sum(path.stat().st_size for path in files(bundle)) <= 8_000_000


def test_pure_python(bundle: Path) -> None:
    """Nothing of it is for one C library or processor, whatever its name: glibc, musl, amd64 and arm64 get the same files."""
    assert not [path for path in files(bundle) if path.suffix in {".so", ".pyd", ".dylib", ".a", ".o"}]
    assert not [path for path in files(bundle) if path.read_bytes().startswith(NATIVE)]
    assert not [path for path in (bundle / "bundle").iterdir() if path.name.startswith(("google", "grpc", "requests", "urllib3"))]


def test_everybody_can_read_it(bundle: Path) -> None:
    for path in [bundle, *bundle.rglob("*")]:
        assert stat.S_IMODE(path.stat().st_mode) == (0o755 if path.is_dir() else 0o644), path


def test_byte_code_is_there_and_does_not_depend_on_times(bundle: Path) -> None:
    sources = [path for path in files(bundle) if path.suffix == ".py"]
    compiled = [path for path in files(bundle) if path.suffix == ".pyc"]
    assert len(compiled) == len(sources)
    # Flags 1: by hash, unchecked.
    assert {path.read_bytes()[4:8] for path in compiled} == {b"\x01\x00\x00\x00"}


def test_the_same_every_time(bundle: Path, tmp_path: Path) -> None:
    command = [sys.executable, str(machine.RUNTIME / "build.py"), "--output", str(tmp_path / "again")]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert re.search(r"again: \d\.\d MB in \d+ files", said)
    first, second = ({path.relative_to(root): path.read_bytes() for path in files(root)} for root in (bundle, tmp_path / "again"))
    assert [path for path in first.keys() | second.keys() if first.get(path) != second.get(path)] == []


def test_a_folder_that_holds_something_else_is_not_touched(tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("mine")
    command = [sys.executable, str(machine.RUNTIME / "build.py"), "--output", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "not empty and not a bundle" in done.stderr
    assert (tmp_path / "precious").read_text() == "mine"


def requirements(bundle: Path) -> list[tuple[str, str, str]]:
    """The bounds that the packages of the bundle set for one another: name, operator, version."""
    found = []
    for metadata in (bundle / "bundle").glob("*.dist-info/METADATA"):
        for line in HeaderParser().parsestr(metadata.read_text()).get_all("Requires-Dist", []):
            name = re.split(r"[^\w.-]", line)[0].replace("_", "-").lower()
            if ";" not in line:
                found += [(name, *bound) for bound in re.findall(r"(>=|~=|<)\s*([\w.]+)", line)]
    return found


def test_every_bound_of_the_bundle_is_checked(bundle: Path) -> None:
    """An application's package that the check lets through satisfies what ours ask of it."""
    distributions = {path.name.partition("-")[0].replace("_", "-") for path in (bundle / "bundle").glob("*.dist-info")}
    known = {name: (oldest, (beyond, 0)) for name, (oldest, beyond) in SUPPORTED.items()}
    assert distributions == set(known)
    # The SDK asks for the one API of its own release; that older ones work is what the tests with such pins show.
    for name, operator, version in requirements(bundle):
        oldest, beyond = known[name]
        if operator == "<":
            assert beyond <= release(version), (name, operator, version)
        elif not (name == "opentelemetry-sdk" and operator == "~="):
            assert oldest >= release(version), (name, operator, version)


def test_widened_bounds_are_wider_than_what_the_bundle_says_by_itself(bundle: Path) -> None:
    """Where an instrumentation has come to know the newer versions, its own word is to be taken."""
    said = {"google.genai": "opentelemetry/instrumentation/google_genai/package.py"}
    assert set(said) == set(WIDER)
    releases = ["1.31.0", "1.32.0", "2.34.0", "3.4.0", "4.0.0"]
    for library, path in said.items():
        found = re.search(r"_instruments = \(\"(.+)\",\)", (bundle / "bundle" / path).read_text())
        assert found is not None
        own, (wider,) = Requirement(found[1]), map(Requirement, WIDER[library])
        assert own.name == wider.name
        assert list(own.specifier.filter(releases)) == ["1.32.0", "2.34.0"]
        assert list(wider.specifier.filter(releases)) == ["1.32.0", "2.34.0", "3.4.0"]


def test_every_instrumentor_is_in_the_bundle(bundle: Path) -> None:
    for instrumentor in libraries.INSTRUMENTORS.values():
        module, _, name = instrumentor.partition(":")
        path = bundle / "bundle" / module.replace(".", "/")
        source = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
        assert f"class {name}(" in source.read_text()


def test_the_version_is_the_products() -> None:
    assert tomllib.loads((machine.ROOT / "pyproject.toml").read_text())["project"]["version"] == __version__


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: str(path.relative_to(machine.ROOT)))
def test_locks_pin_everything_by_hash_and_name_no_host(lock: Path) -> None:
    text = lock.read_text()
    pinned = re.findall(r"^[\w.-]+==", text, re.MULTILINE)
    parts = re.split(r"^[\w.-]+==", text, flags=re.MULTILINE)[1:]
    assert pinned
    assert [name for name, rest in zip(pinned, parts, strict=True) if "--hash=sha256:" not in rest] == []
    assert "://" not in text


def test_no_lock_of_the_bundle_needs_what_breaks_applications() -> None:
    names = set(re.findall(r"^([\w.-]+)==", (machine.RUNTIME / "requirements.lock").read_text(), re.MULTILINE))
    assert not names & {"protobuf", "grpcio", "requests", "urllib3", "googleapis-common-protos", "importlib-metadata"}
