"""How this machine reaches the Python index, handed to an image build without leaving a trace in the image."""

from __future__ import annotations

import ast
import configparser
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from binaries.wheel import pip

# pip reads /etc/xdg/pip/pip.conf; a folder of that name is in our base image, so that mounting over it changes no layer.
MOUNT = "/etc/xdg/pip"
_PASSED = ("index-url", "extra-index-url", "find-links", "trusted-host", "proxy", "timeout", "default-timeout", "retries", "no-index")
_BUNDLES = ("PIP_CERT", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE")
_SYSTEM_BUNDLE = "/etc/ssl/certs/ca-certificates.crt"


def volumes(folder: Path) -> list[str]:
    """`-v` options of `buildah bud` that give its RUN steps this machine's pip settings; the files are written to `folder`."""
    said = machine()
    links = [_link(folder, number, place) for number, place in enumerate(said.pop("find-links", "").split())]
    bundle = certificates(said)
    if bundle:
        shutil.copy(bundle, folder / "ca.pem")
        said["cert"] = f"{MOUNT}/ca.pem"
    _write(folder / "pip.conf", {**said, **({"find-links": "\n".join(links)} if links else {})})
    return ["-v", f"{folder}:{MOUNT}:ro"]


def _link(folder: Path, number: int, place: str) -> str:
    """A folder of wheels on this machine goes into the mounted one; an address stays as it is."""
    local = Path(place.removeprefix("file://"))
    if not local.is_dir():
        return place
    shutil.copytree(local, folder / f"links{number}")
    return f"{MOUNT}/links{number}"


def machine() -> dict[str, str]:
    """What `pip config list` says about reaching the index; the environment wins, as it does in pip."""
    with tempfile.TemporaryDirectory() as scratch:
        arguments = [*pip(Path(scratch), what="pip settings"), "config", "list"]
        listed = subprocess.run(arguments, capture_output=True, text=True, check=False).stdout
    found: dict[str, str] = {}
    for section, name, value in re.findall(r"^(global|install|:env:)\.\.?([\w-]+)=(.+)$", listed, re.MULTILINE):
        if name in (*_PASSED, "cert") and (section == ":env:" or name not in found):
            found[name.removeprefix("default-")] = str(ast.literal_eval(value))
    return found


def certificates(said: dict[str, str]) -> Path | None:
    """The bundle of authorities that this machine trusts, when there is one: a company's own may sign the index."""
    candidates = [said.pop("cert", ""), *(os.environ.get(name, "") for name in _BUNDLES), _SYSTEM_BUNDLE]
    return next((Path(name) for name in candidates if name and Path(name).is_file()), None)


def _write(path: Path, options: dict[str, str]) -> None:
    settings = configparser.RawConfigParser()
    settings["global"] = options
    with path.open("w") as file:
        settings.write(file)
