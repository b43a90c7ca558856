"""The real process over TLS on loopback: certificates rotate, policies change, and SIGTERM ends it cleanly."""

from __future__ import annotations

import contextlib
import http.client
import json
import re
import select
import signal
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.x509 import load_der_x509_certificate

from tests.unit.webhook.certificates import Pair, pair
from tests.unit.webhook.service import review

POLICY = "apiVersion: llmobs.dev/v1alpha1\nkind: LLMObservability\nmetadata: {name: checkout, namespace: team-a}\n"
DEADLINE = 120.0


def until(what: str, holds: Callable[[], Any]) -> Any:
    end = time.monotonic() + DEADLINE
    while not (found := holds()):
        assert time.monotonic() < end, f"not within {DEADLINE:.0f} s: {what}"
        select.select([], [], [], 0.05)
    return found


class Webhook:
    """One process of `llmobs webhook` that reads its policies from files."""

    def __init__(self, folder: Path, *further: str) -> None:
        self.folder = folder
        self.policies = folder / "policies"
        self.policies.mkdir()
        (self.policies / "policy.yaml").write_text(POLICY)
        self.pair = pair()
        certificate, key = self.pair.write(folder)
        self.log = folder / "log"
        command = [sys.executable, "-m", "llmobs", "webhook", "--policies", str(self.policies), "--host", "127.0.0.1", "--port", "0"]
        command += ["--tls-cert", str(certificate), "--tls-key", str(key), *further]
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, stdin=subprocess.DEVNULL, text=True)
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        found = re.fullmatch(r"listening on https port (\d+), metrics on http port (\d+)\n", line)
        assert found, line + self.log.read_text()
        self.port, self.metrics_port = int(found[1]), int(found[2])

    def connection(self, trusted: Pair | None = None) -> http.client.HTTPSConnection:
        context = ssl.create_default_context(cadata=(trusted or self.pair).certificate.decode())
        return http.client.HTTPSConnection("localhost", self.port, timeout=60, context=context)

    def mutate(self, connection: http.client.HTTPSConnection, body: bytes) -> dict[str, Any]:
        connection.request("POST", "/mutate", body, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        assert answer.status == 200
        found: dict[str, Any] = json.loads(answer.read())["response"]
        return found

    def serial(self) -> int:
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        connection = http.client.HTTPSConnection("localhost", self.port, timeout=60, context=context)
        connection.connect()
        der = connection.sock.getpeercert(binary_form=True)
        connection.close()
        return load_der_x509_certificate(der).serial_number

    def plain(self, path: str) -> tuple[int, str]:
        connection = http.client.HTTPConnection("127.0.0.1", self.metrics_port, timeout=60)
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()


@pytest.fixture
def webhook(tmp_path: Path) -> Iterator[Webhook]:
    made = Webhook(tmp_path)
    yield made
    made.process.kill()
    made.process.wait()


def metric(text: str, series: str) -> float:
    return next(float(line.rpartition(" ")[2]) for line in text.splitlines() if line.startswith(f"{series} "))


def test_it_serves_rotates_and_ends(webhook: Webhook) -> None:
    with contextlib.closing(webhook.connection()) as old:
        assert webhook.mutate(old, review())["patch"]
        assert webhook.plain("/readyz") == (200, "ok\n")

        second = pair(days=3)
        second.write(webhook.folder)
        until("the new certificate is served", lambda: webhook.serial() == second.serial)
        assert webhook.mutate(old, review())["patch"], "a connection that stands keeps working"
    with contextlib.closing(webhook.connection(second)) as new:
        assert webhook.mutate(new, b"nonsense")["allowed"] is True
        text = webhook.plain("/metrics")[1]
        assert metric(text, "llmobs_admission_certificate_expiry_timestamp_seconds") == second.expires.timestamp()
        assert metric(text, 'llmobs_admission_total{decision="injected",k8s_namespace="team-a",reason="Injected"}') == 2
        assert metric(text, 'llmobs_admission_total{decision="failed",k8s_namespace="",reason="Unreadable"}') == 1

        webhook.process.send_signal(signal.SIGTERM)
        assert webhook.process.wait(DEADLINE) == 0
    assert "Traceback" not in webhook.log.read_text()


def test_policies_are_read_again_and_a_broken_file_changes_nothing(webhook: Webhook) -> None:
    with contextlib.closing(webhook.connection()) as connection:
        (webhook.policies / "policy.yaml").write_text(POLICY + "spec: {injection: {mode: Disabled}}\n")
        until("the new policy applies", lambda: "patch" not in webhook.mutate(connection, review()))
        assert (
            metric(
                webhook.plain("/metrics")[1], 'llmobs_admission_total{decision="skipped",k8s_namespace="team-a",reason="PolicyDisabled"}'
            )
            == 1
        )

        (webhook.policies / "policy.yaml").write_text("a: [")
        until("the broken file is noticed", lambda: "policies are not read" in webhook.log.read_text())
        assert "patch" not in webhook.mutate(connection, review())
        assert webhook.plain("/readyz")[0] == 200

        (webhook.policies / "policy.yaml").write_text(POLICY)
        until("the good file applies", lambda: "patch" in webhook.mutate(connection, review()))


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1_1 is deprecated")
def test_old_tls_is_refused(webhook: Webhook) -> None:
    context = ssl.create_default_context(cadata=webhook.pair.certificate.decode())
    context.maximum_version = ssl.TLSVersion.TLSv1_1
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    connection = http.client.HTTPSConnection("localhost", webhook.port, timeout=60, context=context)

    with pytest.raises(ssl.SSLError):
        connection.connect()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--policies", "nowhere"], "nowhere: cannot be read"),
        (["--tls-cert", "nowhere.crt"], "--tls-cert, --tls-key: nowhere.crt: No such file or directory"),
        (["--config", "tls.crt"], "tls.crt: must be an object of keys and values"),
        (["--kubeconfig", "x"], "--kubeconfig: has no meaning with --policies"),
        (["--host", "203.0.113.1"], "cannot listen on 203.0.113.1"),
        (["--port", "65536"], "cannot listen on 127.0.0.1, port 65536"),
    ],
)
def test_what_it_cannot_start_with_is_named(tmp_path: Path, arguments: list[str], said: str) -> None:
    pair().write(tmp_path)
    (tmp_path / "policies").mkdir()
    command = [sys.executable, "-m", "llmobs", "webhook", "--policies", "policies", "--tls-cert", "tls.crt", "--tls-key", "tls.key"]
    command += ["--host", "127.0.0.1", "--port", "0", *arguments]

    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)

    assert (done.returncode, done.stdout) == (2, "")
    assert f"llmobs webhook: {said}" in done.stderr
