"""A small client of the API server for plain data, on the official asyncio client's transport and credentials."""

from __future__ import annotations

import json
import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
from kubernetes.aio import config
from kubernetes.aio.client import ApiClient, Configuration

from llmobs.api import names
from llmobs.cluster.errors import Refused, failure
from llmobs.cluster.kinds import Resource, resource
from llmobs.kit.errors import Invalid, NotYet

Manifest = dict[str, Any]
Query = Sequence[tuple[str, str]]

REQUEST = aiohttp.ClientTimeout(total=30, sock_connect=5)
STALLED = 75.0
"""Seconds without a byte after which a watch counts as dead; the API server sends a bookmark every minute."""
PAGE = "500"
DEFAULT_NAMESPACE = "default"
_OWN_NAMESPACE = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")
_JSON = "application/json"
_PARTIAL = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"
_APPLY = "application/apply-patch+yaml"
_MERGE = "application/merge-patch+json"


@dataclass(frozen=True)
class Access:
    """How to reach the API server, for a watch engine that opens its own connections."""

    server: str
    scheme: str | None
    token: str | None
    ca_path: str | None
    ca_data: str | None
    certificate: str | None
    key: str | None
    insecure: bool


class Client:
    """Reads and writes objects as plain data.

    Every method raises :class:`NotYet` when the API server can't be reached or asks for patience, and
    :class:`Refused` when it says no.
    """

    def __init__(self, api: Any) -> None:
        self._api = api

    async def get(self, kind: Resource, name: str, *, namespace: str = "") -> Manifest | None:
        """One object, or None."""
        try:
            return await self.request("GET", kind.path(namespace=namespace, name=name))
        except Refused as refused:
            if refused.status == 404:
                return None
            raise

    async def list(self, kind: Resource, *, namespace: str = "", labels: str = "", fields: str = "") -> tuple[list[Manifest], str]:
        """Every object of a kind, page by page, each with its kind; and the list's resourceVersion."""
        items: list[Manifest] = []
        query = [("limit", PAGE), *_selectors(labels, fields)]
        page = await self.request("GET", kind.path(namespace=namespace), query=query)
        items += page.get("items") or []
        while token := page["metadata"].get("continue"):
            page = await self.request("GET", kind.path(namespace=namespace), query=[*query, ("continue", token)])
            items += page.get("items") or []
        typed = {"apiVersion": kind.api_version, "kind": kind.kind}
        return [{**typed, **item} for item in items], str(page["metadata"].get("resourceVersion", ""))

    async def apply(self, manifest: Manifest, *, sub: str = "") -> Manifest:
        """Server-side apply as our field manager; ``sub`` is ``status`` or nothing. The answer is the object as stored."""
        meta = manifest["metadata"]
        path = resource(manifest).path(namespace=meta.get("namespace", ""), name=meta["name"], sub=sub)
        query = [("fieldManager", names.OPERATOR), ("force", "true")]
        return await self.request("PATCH", path, query=query, body=manifest, content=_APPLY)

    async def merge(self, kind: Resource, name: str, patch: Manifest, *, namespace: str = "") -> Manifest:
        """JSON merge patch as our field manager."""
        path = kind.path(namespace=namespace, name=name)
        return await self.request("PATCH", path, query=[("fieldManager", names.OPERATOR)], body=patch, content=_MERGE)

    async def create(self, manifest: Manifest) -> Manifest:
        """Create an object that must not exist yet."""
        path = resource(manifest).path(namespace=manifest["metadata"].get("namespace", ""))
        return await self.request("POST", path, query=[("fieldManager", names.OPERATOR)], body=manifest)

    async def delete(self, manifest: Manifest) -> None:
        """Delete exactly this object (by its uid) and in the background what it owns; nothing happens when it is gone."""
        meta = manifest["metadata"]
        path = resource(manifest).path(namespace=meta.get("namespace", ""), name=meta["name"])
        body = {"propagationPolicy": "Background", "preconditions": {"uid": meta["uid"]}}
        try:
            await self.request("DELETE", path, body=body)
        except Refused as refused:
            if refused.status != 404:
                raise

    async def watch(
        self, kind: Resource, *, since: str, labels: str = "", fields: str = "", namespace: str = "", metadata_only: bool = False
    ) -> AsyncIterator[tuple[str, Manifest]]:
        """(type, object) from a resourceVersion on: ADDED, MODIFIED, DELETED, BOOKMARK, ERROR.

        Ends when the API server closes the stream. A stream that is silent for STALLED seconds raises NotYet.
        """
        accept = _PARTIAL if metadata_only else _JSON
        query = [("watch", "true"), ("allowWatchBookmarks", "true"), ("resourceVersion", since), *_selectors(labels, fields)]
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=5, sock_read=STALLED)
        try:
            async with self._send("GET", kind.path(namespace=namespace), query=query, accept=accept, timeout=timeout) as response:
                async for line in response.content:
                    event = json.loads(line)
                    yield event["type"], event["object"]
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise NotYet(f"watch of {kind.plural}: {error or type(error).__name__}", delay=1.0) from error

    async def request(self, method: str, path: str, *, query: Query = (), body: Manifest | None = None, content: str = _JSON) -> Manifest:
        """One request; the answer is the decoded body."""
        try:
            async with self._send(method, path, query=query, body=body, content=content) as response:
                answer: Manifest = await response.json(content_type=None)
                return answer
        except (aiohttp.ClientError, OSError, TimeoutError, json.JSONDecodeError) as error:
            raise NotYet(f"{method} {path}: the API server is not reachable: {error or type(error).__name__}", delay=1.0) from error

    @asynccontextmanager
    async def _send(
        self,
        method: str,
        path: str,
        *,
        query: Query = (),
        body: Manifest | None = None,
        content: str = _JSON,
        accept: str = _JSON,
        timeout: aiohttp.ClientTimeout = REQUEST,  # noqa: ASYNC109 - the transport's own notion, not a cancel scope
    ) -> AsyncIterator[Any]:
        headers = {"Content-Type": content, "Accept": accept}
        prepared = await self._api.param_serialize(
            method, path, query_params=list(query), header_params=headers, body=body, auth_settings=["BearerToken"]
        )
        answer = await self._api.call_api(*prepared, _request_timeout=timeout)
        response = answer.response
        try:
            if response.status >= 300:
                raise failure(
                    response.status,
                    await _said(response),
                    what=f"{method} {path}",
                    retry_after=response.headers.get("Retry-After"),
                )
            yield response
        finally:
            response.release()

    async def access(self) -> Access:
        """The credentials in use now; a token is read anew from where it rotates."""
        settings = self._api.configuration
        header = str(await settings.get_api_key_with_prefix("BearerToken") or "").strip()
        scheme, _, token = header.rpartition(" ")
        return Access(
            server=settings.host,
            scheme=scheme.capitalize() or None,
            token=token or None,
            ca_path=settings.ssl_ca_cert,
            ca_data=settings.ca_cert_data,
            certificate=settings.cert_file,
            key=settings.key_file,
            insecure=not settings.verify_ssl,
        )


@asynccontextmanager
async def connected(kubeconfig: str | None = None, *, context: str | None = None) -> AsyncIterator[Client]:
    """A client from the kubeconfig file, else from KUBECONFIG, else from the pod's service account; ``context`` is one of the file's."""
    # each watch holds a connection, and there is one for each kind and namespace: a bound would let other requests wait for ever
    settings = Configuration(connection_pool_maxsize=0)
    await _load(settings, kubeconfig or os.environ.get("KUBECONFIG") or None, context)
    async with ApiClient(configuration=settings) as api:
        api.user_agent = names.OPERATOR
        yield Client(api)


def current_namespace(kubeconfig: str | None, *, context: str | None = None) -> str:
    """The namespace that kubectl would take: the context's, else the pod's own, else ``default``."""
    if not kubeconfig:
        return _OWN_NAMESPACE.read_text(encoding="utf-8").strip() if _OWN_NAMESPACE.exists() else DEFAULT_NAMESPACE
    try:
        every, current = config.list_kube_config_contexts(kubeconfig)
    except (config.ConfigException, OSError):
        return DEFAULT_NAMESPACE  # connecting says what is wrong with the file
    chosen = next((item for item in every if item["name"] == context), current if context is None else None)
    return str((chosen or {}).get("context", {}).get("namespace") or DEFAULT_NAMESPACE)


async def _load(settings: Any, kubeconfig: str | None, context: str | None) -> None:
    try:
        if kubeconfig:
            await config.load_kube_config(config_file=kubeconfig, context=context, client_configuration=settings, persist_config=False)
        else:
            config.load_incluster_config(client_configuration=settings)
    except (config.ConfigException, OSError) as error:
        where = f"kubeconfig {kubeconfig}" if kubeconfig else "no kubeconfig and not in a cluster: give --kubeconfig or set KUBECONFIG"
        raise Invalid("", f"{where}: {error}") from error


def _selectors(labels: str, fields: str) -> list[tuple[str, str]]:
    return [(key, value) for key, value in (("labelSelector", labels), ("fieldSelector", fields)) if value]


async def _said(response: Any) -> Manifest:
    text = await response.text()
    try:
        found = json.loads(text)
    except ValueError:
        return {"message": text.strip()[:500]}
    return found if isinstance(found, dict) else {"message": text.strip()[:500]}
