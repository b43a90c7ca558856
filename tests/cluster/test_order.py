"""Other webhooks before and after ours: the real API server calls each again when another changed the pod, and both orders end the same."""

from __future__ import annotations

import base64
import json
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jsonpatch
import pytest
from llmobs.cluster.authority import leaf

from tests.admission.orders import settled, sidecar, variable
from tests.cluster.admission import CONFIGURATIONS, Admission
from tests.cluster.apiserver import until
from tests.cluster.test_admission import admission
from tests.fakes.loopback import Answering, Loopback

__all__ = ["admission"]

pytestmark = pytest.mark.apiserver


class Mesh:
    """Another injector: a sidecar in front, a variable in every container, files of its own in PYTHONPATH."""

    def __init__(self, admission: Admission, folder: Path) -> None:
        self.admission, self.calls = admission, 0
        mesh = self

        class Handler(Answering):
            def do_POST(self) -> None:
                request = json.loads(self.body())["request"]
                mesh.calls += 1
                patch = jsonpatch.make_patch(request["object"], changed(request["object"])).to_string().encode()
                answer = {"uid": request["uid"], "allowed": True, "patchType": "JSONPatch", "patch": base64.b64encode(patch).decode()}
                body = json.dumps({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "response": answer}).encode()
                self.answer(body)

        pair = leaf(admission.root, ["localhost"], datetime.now(tz=UTC))
        for name, text in (("mesh.crt", pair.certificate), ("mesh.key", pair.key)):
            (folder / name).write_text(text)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(folder / "mesh.crt", folder / "mesh.key")
        self.server = Loopback(Handler)
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.server.begin()

    def configure(self, name: str, namespace: str) -> None:
        """Webhooks are called in the order of their configurations' names."""
        authority = base64.b64encode(self.admission.root.certificate.encode()).decode()
        hook = {
            "name": "mesh.example.com",
            "clientConfig": {"url": f"https://localhost:{self.server.server_port}/", "caBundle": authority},
            "rules": [{"operations": ["CREATE"], "apiGroups": [""], "apiVersions": ["v1"], "resources": ["pods"], "scope": "Namespaced"}],
            "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}},
            "failurePolicy": "Fail",
            "sideEffects": "None",
            "admissionReviewVersions": ["v1"],
            "reinvocationPolicy": "IfNeeded",
        }
        self.admission.server.create(CONFIGURATIONS, {"metadata": {"name": name}, "webhooks": [hook]})


def changed(pod: dict[str, Any]) -> dict[str, Any]:
    made = variable(sidecar(pod, first=True))
    for container in made["spec"]["containers"]:
        path = next((item for item in container["env"] if item["name"] == "PYTHONPATH"), None)
        if path is None:
            container["env"].append({"name": "PYTHONPATH", "value": "/mesh"})
        elif "/mesh" not in path["value"].split(":"):
            path["value"] += ":/mesh"
    return made


@pytest.fixture
def mesh(admission: Admission, tmp_path: Path) -> Iterator[Mesh]:
    made = Mesh(admission, tmp_path)
    yield made
    made.server.end()


def test_both_orders_of_two_webhooks_end_the_same(admission: Admission, mesh: Mesh) -> None:
    namespace = admission.namespace()
    admission.policy(namespace)
    until("the policy has arrived", lambda: admission.injected(namespace))

    def containers(count: int) -> Any:
        pod = admission.pod(namespace)
        return pod if len(pod["spec"]["containers"]) == count else None

    found = {}
    for name in ("aa-mesh", "zz-mesh"):
        mesh.configure(name, namespace)
        found[name] = until("the other webhook is called", lambda: containers(2))
        admission.server.delete(f"{CONFIGURATIONS}/{name}")
        until("the other webhook is gone", lambda: containers(1))

    before, after = settled(found["aa-mesh"]), settled(found["zz-mesh"])
    assert before == after
    for container in before["containers"].values():
        assert container["env"]["PYTHONPATH"] == {"/llmobs/python", "/mesh"}
        assert {"LLMOBS_ENDPOINT", "EXTRA"} <= set(container["env"])
    assert set(before["containers"]) == {"app", "mesh"}
