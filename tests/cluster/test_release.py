"""The chart as Helm installs, changes and removes it on a real API server: from all namespaces to some and back, and a second time."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cluster.apiserver import ApiServer, binary, until
from tests.cluster.installation import CHART, SYSTEM, Controller, Prometheus
from tests.cluster.world import World

pytestmark = pytest.mark.apiserver

RBAC = "/apis/rbac.authorization.k8s.io/v1"
SOME = "--set=watch.namespaces={team-a}"


class Release(World):
    """A world whose chart Helm installs."""

    def helm(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [binary("helm"), f"--kubeconfig={self.server.kubeconfig()}", *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)

    def upgraded(self, *options: str, **settings: Any) -> str:
        """Install or change the release, and start the controller as its new pod would; what Helm tells."""
        if self.controller is not None and self.controller.running:
            self.controller.end()
        done = self.helm("upgrade", "--install", "llmobs", str(CHART), f"--namespace={SYSTEM}", "--create-namespace", *options)
        assert done.returncode == 0, done.stderr
        self.controller = Controller(self.server, self.server.folder, prometheus=self.prometheus.url, **settings)
        self.controller.start()
        return done.stdout

    def roles(self) -> set[tuple[str, str]]:
        """Namespace and name of every role and binding of the release, of whichever kind."""
        query = "labelSelector=app.kubernetes.io%2Fname%3Dllm-observability-operator"
        kinds = ("roles", "rolebindings", "clusterroles", "clusterrolebindings")
        found = [item["metadata"] for kind in kinds for item in self.server.get(f"{RBAC}/{kind}?{query}")["items"]]
        return {(meta.get("namespace", ""), meta["name"]) for meta in found}


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Release]:
    folder: Path = tmp_path_factory.mktemp("release")
    server, prometheus = ApiServer(folder), Prometheus()
    made = Release(server, None, prometheus)  # type: ignore[arg-type]
    try:
        server.start()
        for name in ("team-a", "team-c"):
            server.create("/api/v1/namespaces", {"metadata": {"name": name}})
        server.controllers()
        yield made
    finally:
        if made.controller is not None and made.controller.running:
            made.controller.end()
        prometheus.end()
        server.end()


def test_from_all_namespaces_to_some_and_back_leaves_nothing(release: Release) -> None:
    release.upgraded()
    everywhere = release.roles()
    paths = {name: release.policy(name) for name in ("team-a", "team-c")}
    for path in paths.values():
        release.condition(path, "DashboardsReady", "True", "Applied")
    assert {space for space, _ in everywhere} == {"", SYSTEM}

    said = release.upgraded(SOME, watch={"namespaces": ["team-a"]})
    assert "It watches only: team-a." in said
    assert {space for space, name in release.roles() if name.endswith("-watched")} == {"team-a"}
    assert ("", "llmobs-gateway") not in release.roles()
    release.policy("team-a", {"attributes": {"team": "new"}})
    release.condition(paths["team-a"], "Accepted", "True", "Accepted")
    until("the gateway is of these namespaces", lambda: "k8s_attributes/team-a" in release.gateway_configuration())
    before = release.server.get(paths["team-c"])["metadata"]["resourceVersion"]
    [kept] = release.dashboards("team-c")
    release.quiet(passes=2)
    assert release.server.get(paths["team-c"])["metadata"]["resourceVersion"] == before
    assert [item["metadata"]["uid"] for item in release.dashboards("team-c")] == [kept["metadata"]["uid"]]
    release.server.delete(paths["team-c"])
    until("what was made for a policy goes with it", lambda: release.dashboards("team-c") == [])

    assert "It watches only" not in release.upgraded("--reset-values")
    assert release.roles() == everywhere
    path = release.policy("team-c")
    release.condition(path, "DashboardsReady", "True", "Applied")
    until("the gateway is of all namespaces", lambda: "k8s_attributes/" not in release.gateway_configuration())


def test_a_second_installation_is_refused_by_name(release: Release) -> None:
    release.upgraded(SOME, watch={"namespaces": ["team-a"]})
    before = release.roles()
    more = ("--set=crds.install=false", "--set=watch.namespaces={team-c}")

    done = release.helm("install", "second", str(CHART), "--namespace=second", "--create-namespace", *more)

    assert done.returncode != 0
    assert "exists and cannot be imported into the current release" in done.stderr
    assert 'must equal "second": current value is "llmobs"' in done.stderr
    assert release.roles() == before


def test_the_api_server_instruments_in_watched_namespaces_only(release: Release) -> None:
    """Admission policies are of the whole cluster, so that those of a namespace that is watched no longer can be deleted, and are."""
    path = "/apis/admissionregistration.k8s.io/v1/mutatingadmissionpolicybindings"
    native: dict[str, Any] = {"admission": {"by": "AdmissionPolicy"}}
    for place in ("team-a", "team-c"):
        release.policy(place, {"injection": {"delivery": "ImageVolume"}})
    release.upgraded("--reset-values", "--set=admission.by=AdmissionPolicy", **native)
    for place in ("team-a", "team-c"):
        until(f"pods of {place} are instrumented", lambda place=place: release.server.get(f"{path}/llmobs.{place}.p"))
    release.controller.end()
    asked = len(release.server.audit())

    release.upgraded(SOME, "--set=admission.by=AdmissionPolicy", watch={"namespaces": ["team-a"]}, **native)
    until("not where nobody watches", lambda: release.server.get(f"{path}/llmobs.team-c.p") is None)
    assert release.server.get(f"{path}/llmobs.team-a.p")
    release.quiet(passes=2)
    assert [item["requestURI"] for item in release.server.audit()[asked:] if item["responseStatus"]["code"] in (403, 422)] == []


def test_an_uninstall_takes_every_role_along(release: Release) -> None:
    release.upgraded(SOME, watch={"namespaces": ["team-a"]})
    done = release.helm("uninstall", "llmobs", f"--namespace={SYSTEM}", "--wait")

    assert done.returncode == 0, done.stderr
    assert release.roles() == set()
    until("dashboards go with the definitions", lambda: release.dashboards("team-a") == [])
    until("the gateway goes too", lambda: release.server.get(f"/apis/apps/v1/namespaces/{SYSTEM}/deployments/llmobs-gateway") is None)
