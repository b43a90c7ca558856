"""Several webhook processes behind one address, as a Service puts them: only those that are ready get new connections."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import itertools
import ssl
import threading
import urllib.error
import urllib.request
from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509
from llmobs.cluster.authority import authority, leaf

from tests.cluster.admission import CONFIGURATIONS
from tests.cluster.apiserver import ApiServer, Process, free_port, until
from tests.cluster.installation import LLMOBS, SYSTEM, account, rendered

_numbers = itertools.count()


class Replica:
    """One webhook process."""

    def __init__(self, folder: Path, kubeconfig: Path) -> None:
        self.port, self._plain = free_port(), free_port()
        flags = [f"--tls-cert={folder / 'tls.crt'}", f"--tls-key={folder / 'tls.key'}", f"--port={self.port}", "--host=127.0.0.1"]
        flags += [f"--kubeconfig={kubeconfig}", f"--metrics-port={self._plain}", f"--namespace={SYSTEM}"]
        self.process = Process(f"webhook-{next(_numbers)}", [LLMOBS, "webhook", *flags], folder)

    def ask(self, path: str) -> str | None:
        """The text at a path of the plain port; None when it is not there or not well."""
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(f"http://127.0.0.1:{self._plain}{path}", timeout=5) as answer:
                return str(answer.read().decode())
        except OSError:
            return None

    @property
    def wanting(self) -> str:
        """Why it is not ready; empty when it is, or is not there."""
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            opener.open(f"http://127.0.0.1:{self._plain}/readyz", timeout=5).close()
        except urllib.error.HTTPError as error:
            return error.read().decode()
        except OSError:
            pass
        return ""

    @property
    def serial(self) -> int:
        """The serial number of the certificate it serves."""
        return x509.load_pem_x509_certificate(ssl.get_server_certificate(("127.0.0.1", self.port)).encode()).serial_number


class Service:
    """An address in front of replicas, the chart's webhook configuration that calls it, and the certificate they share."""

    def __init__(self, server: ApiServer, folder: Path) -> None:
        self.replicas: list[Replica] = []
        self._server, self._folder = server, folder
        self._kubeconfig = account(server, "llmobs-webhook")
        self._ready: list[int] = []
        self._turn = itertools.count()
        self._bundle = ""
        self.rotate(publish=False)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._listening = asyncio.run_coroutine_threadsafe(asyncio.start_server(self._serve, "127.0.0.1", 0), self._loop).result()
        self.port = self._listening.sockets[0].getsockname()[1]
        asyncio.run_coroutine_threadsafe(self._probe(), self._loop)
        [made] = [item for item in rendered() if item["kind"] == "MutatingWebhookConfiguration"]
        client = {"url": f"https://localhost:{self.port}/mutate", "caBundle": base64.b64encode(self._bundle.encode()).decode()}
        made["webhooks"][0]["clientConfig"] = client
        self._configuration = server.create(CONFIGURATIONS, made)

    def rotate(self, *, publish: bool = True) -> int:
        """A new authority and a new certificate: what is trusted is published before it is served. The new serial number."""
        now = datetime.now(tz=UTC)
        root = authority(now)
        pair = leaf(root, ["localhost"], now)
        self._bundle = root.certificate + self._bundle
        if publish:
            hook = self._configuration["webhooks"][0]
            client = {**hook["clientConfig"], "caBundle": base64.b64encode(self._bundle.encode()).decode()}
            name = self._configuration["metadata"]["name"]
            self._server.merge(f"{CONFIGURATIONS}/{name}", {"webhooks": [{**hook, "clientConfig": client}]})
        for name, text in (("tls.crt", pair.certificate), ("tls.key", pair.key)):
            (self._folder / f".{name}").write_text(text)
            (self._folder / f".{name}").replace(self._folder / name)
        return x509.load_pem_x509_certificate(pair.certificate.encode()).serial_number

    def add(self) -> Replica:
        """Start a replica and wait until it gets connections."""
        made = Replica(self._folder, self._kubeconfig)
        self.replicas.append(made)
        until("the replica is ready or ended", lambda: self.reaches(made) or not made.process.running)
        assert made.process.running, made.process.tail()
        return made

    def reaches(self, replica: Replica) -> bool:
        """Whether a replica gets new connections."""
        return replica.port in self._ready

    def end(self) -> None:
        for replica in self.replicas:
            replica.process.end(9)
        asyncio.run_coroutine_threadsafe(self._cease(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _cease(self) -> None:
        """End every task, since a loop that goes before its tasks complains of each."""
        self._listening.close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        await self._loop.shutdown_default_executor()

    async def _probe(self) -> None:
        while True:
            found = [await asyncio.to_thread(replica.ask, "/readyz") for replica in list(self.replicas)]
            self._ready = [replica.port for replica, said in zip(self.replicas, found, strict=False) if said]
            await asyncio.sleep(0.5)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            port = self._ready[next(self._turn) % len(self._ready)]
            to, back = await asyncio.open_connection("127.0.0.1", port)
        except (OSError, ZeroDivisionError):
            writer.close()
            return
        await asyncio.gather(_pipe(reader, back), _pipe(to, writer))


async def _pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.close()
