"""A Python that this machine's Debian lacks and its next release has: its packages, unpacked beside the system and never installed.

The packages come through apt from the mirror that the machine itself uses, signed by Debian's archive key, so there is nothing to pin:
an interpreter of this minor version is what the tests ask for, not one build of it.
"""

import os
import platform
import subprocess
from pathlib import Path

RELEASE = "forky"
"""Debian's next release; its Python is 3.14."""

ARCHIVE_KEY = "/usr/share/keyrings/debian-archive-keyring.gpg"

# Apt with folders of its own, as if nothing were installed: what it fetches is complete, C library and all.
APT = """
Dir::Etc::sourcelist "{folder}/sources.list";
Dir::Etc::sourceparts "{folder}/none";
Dir::Etc::preferencesparts "{folder}/none";
Dir::State::lists "{folder}/lists";
Dir::State::status "/dev/null";
Dir::Cache "{folder}";
Acquire::Languages "none";
Acquire::IndexTargets::deb::DEP-11::DefaultEnabled "false";
APT::Install-Recommends "false";
APT::Sandbox::User "";
"""
# Its own loader and libraries, whatever the machine has. Programs that it starts get those of the machine.
STARTER = """#!/bin/sh
exec '{libraries}/{loader}' --library-path '{libraries}' --argv0 "$0" '{real}' "$@"
"""
# Extension modules of applications bring no C++ library of their own.
LIBRARIES = ("libstdc++6",)


class UnavailableError(Exception):
    """This machine cannot have it; the message says why."""


def mirror() -> str:
    """Return the base URL of the mirror that this machine's Debian comes from."""
    try:
        lines = Path("/etc/os-release").read_text().splitlines()
        release = dict(line.split("=", 1) for line in lines if "=" in line)
        asked = ["apt-get", "indextargets", "--format", "$(RELEASE) $(COMPONENT) $(REPO_URI)", "Created-By: Packages"]
        said = subprocess.run(asked, capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError) as error:
        raise UnavailableError(f"no Debian with apt: {error}") from error
    if release.get("ID") != "debian":
        raise UnavailableError(f"no Debian: {release.get('ID')}")
    for line in said.splitlines():
        name, component, url = line.split(" ", 2)
        if (name, component) == (release.get("VERSION_CODENAME"), "main"):
            return url
    raise UnavailableError("no mirror of Debian among apt's sources")


def unpack(minor: str, folder: Path) -> None:
    """Make ``folder/usr/bin/python3.14`` for the minor version ``3.14``; raise UnavailableError where that cannot be."""
    source = mirror()
    apt = folder / "apt"
    for part in ("lists/partial", "archives/partial", "none"):
        (apt / part).mkdir(parents=True)
    (apt / "sources.list").write_text(f"deb [signed-by={ARCHIVE_KEY}] {source} {RELEASE} main\n")
    (apt / "apt.conf").write_text(APT.format(folder=apt))
    _apt(apt, "update")
    _apt(apt, "install", "--yes", "--download-only", f"python{minor}-venv", *LIBRARIES)
    for package in sorted((apt / "archives").glob("*.deb")):
        subprocess.run(["dpkg-deb", "--extract", str(package), str(folder)], check=True)
        package.unlink()
    _make_startable(folder / "usr", minor)


def _apt(folder: Path, *arguments: str) -> None:
    environ = {**os.environ, "APT_CONFIG": str(folder / "apt.conf"), "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C"}
    done = subprocess.run(["apt-get", "--quiet", *arguments], capture_output=True, text=True, check=False, env=environ)
    if done.returncode != 0:
        raise UnavailableError(f"apt-get {' '.join(arguments)}: {done.stderr.strip()}")


def _make_startable(usr: Path, minor: str) -> None:
    machine = platform.machine()
    libraries = usr / "lib" / f"{machine}-linux-gnu"
    (loader,) = libraries.glob("ld-linux-*.so.*")
    program = usr / "bin" / f"python{minor}"
    real = program.rename(program.with_name(f"{program.name}.real"))
    program.write_text(STARTER.format(libraries=libraries, loader=loader.name, real=real))
    program.chmod(0o755)
    # Where Debian's ensurepip looks for pip.
    for data in (usr / "lib" / f"python{minor}").glob("_sysconfigdata_*.py"):
        data.write_text(data.read_text().replace("'/usr/share/python-wheels", f"'{usr}/share/python-wheels"))
