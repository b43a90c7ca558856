"""Workloads whose pods a real controller makes and a test lets live: there is no kubelet."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tests.cluster.admission import Admission
from tests.cluster.apiserver import ApiServer, until
from tests.cluster.installation import Controller, Prometheus, install
from tests.cluster.world import World

PLURALS = {"Deployment": "deployments", "StatefulSet": "statefulsets", "DaemonSet": "daemonsets"}


class Cluster(World):
    """API server, Kubernetes' controllers, our controller and our webhook."""

    def workload(self, kind: str, namespace: str, name: str, *, annotations: Mapping[str, str] | None = None, **spec: Any) -> str:
        """Create a workload, with annotations of its own; its path."""
        template = {"metadata": {"labels": {"app": name}}, "spec": {"containers": [{"name": "app", "image": "example.com/app:1"}]}}
        made = {"selector": {"matchLabels": {"app": name}}, "template": template, **spec}
        path = f"/apis/apps/v1/namespaces/{namespace}/{PLURALS[kind]}"
        self.server.create(path, {"metadata": {"name": name, "annotations": dict(annotations or {})}, "spec": made})
        return f"{path}/{name}"

    def pods(self, namespace: str, app: str, *, injected: bool | None = None) -> list[dict[str, Any]]:
        """The pods of a workload that are not being deleted."""
        found = self.server.get(f"/api/v1/namespaces/{namespace}/pods?labelSelector=app%3D{app}")["items"]
        living = [pod for pod in found if not pod["metadata"].get("deletionTimestamp")]
        return [pod for pod in living if injected is None or (pod["metadata"]["labels"].get("llmobs.dev/injected") == "true") is injected]

    def live(self, pod: dict[str, Any], *, ready: bool = True, restarts: int = 0) -> None:
        """Let a pod have run for five minutes."""
        started = (datetime.now(tz=UTC) - timedelta(minutes=5)).strftime("%Y-%m-%dT%H:%M:%SZ")
        state = {"name": "app", "image": "i", "imageID": "", "ready": ready, "restartCount": restarts}
        state["state"] = {"running": {"startedAt": started}} if ready else {"waiting": {"reason": "CrashLoopBackOff"}}
        word = "True" if ready else "False"
        conditions = [{"type": kind, "status": word, "lastTransitionTime": started} for kind in ("Ready", "ContainersReady")]
        self._report(pod, {"phase": "Running", "startTime": started, "conditions": conditions, "containerStatuses": [state]})

    def waits(self, pod: dict[str, Any], container: str, reason: str) -> None:
        """Let an init container of a pod not start."""
        state = {
            "name": container,
            "image": "i",
            "imageID": "",
            "ready": False,
            "restartCount": 0,
            "state": {"waiting": {"reason": reason}},
        }
        self._report(pod, {"phase": "Pending", "initContainerStatuses": [state]})

    def _report(self, pod: dict[str, Any], status: dict[str, Any]) -> None:
        """As a kubelet would."""
        path = f"/api/v1/namespaces/{pod['metadata']['namespace']}/pods/{pod['metadata']['name']}/status"
        self.server.request("PATCH", path, {"status": status}, content="application/merge-patch+json")

    def restart(self, path: str) -> None:
        """As ``kubectl rollout restart`` does."""
        stamp = {"kubectl.kubernetes.io/restartedAt": datetime.now(tz=UTC).isoformat()}
        self.server.merge(path, {"spec": {"template": {"metadata": {"annotations": stamp}}}})

    def complete(self, path: str) -> bool:
        """Whether a Deployment's controller says that its rollout is over."""
        body = self.server.get(path)
        wanted, status = body["spec"]["replicas"], body["status"]
        figures = [status.get(key, 0) for key in ("replicas", "updatedReplicas", "availableReplicas")]
        return bool(status.get("observedGeneration") == body["metadata"]["generation"] and figures == [wanted] * 3)

    def annotation(self, path: str, name: str) -> str | None:
        """The value of an annotation of a workload's pod template."""
        found = self.server.get(path)["spec"]["template"]["metadata"].get("annotations") or {}
        return None if name not in found else str(found[name])

    def events(self, namespace: str, kind: str, reason: str) -> list[str]:
        """The names of those that Events of a reason are about."""
        found = self.server.get(f"/api/v1/namespaces/{namespace}/events")["items"]
        return [item["involvedObject"]["name"] for item in found if (item["involvedObject"]["kind"], item["reason"]) == (kind, reason)]

    def known(self, namespace: str) -> None:
        """Wait until the webhook knows the policy of a namespace."""
        until("the webhook knows the policy", lambda: self.admission.injected(namespace, name="canary"))

    admission: Admission


@contextmanager
def cluster(folder: Path) -> Iterator[Cluster]:
    """Everything at work."""
    server, prometheus = ApiServer(folder), Prometheus()
    ours: list[Any] = []
    try:
        server.start()
        install(server, folder)
        server.controllers()
        controller = Controller(server, folder, prometheus=prometheus.url)
        made = Cluster(server, controller, prometheus)
        made.admission = Admission(server, folder)
        ours += [made.admission, controller]
        made.admission.start()
        made.admission.configure()
        controller.start()
        yield made
    finally:
        for process in ours:
            if process.running:
                process.end()
        prometheus.end()
        server.end()
