"""Five hundred pods at once, while a webhook process is killed and replaced and its certificate is changed."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.cluster.apiserver import ApiServer, until
from tests.cluster.installation import Controller, install
from tests.cluster.replicas import Service
from tests.cluster.world import GROUP

pytestmark = pytest.mark.apiserver

PODS, CLIENTS = 500, 8


@pytest.fixture
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[ApiServer, Service, Controller]]:
    folder = tmp_path_factory.mktemp("burst")
    server = ApiServer(folder)
    made: Service | None = None
    controller: Controller | None = None
    try:
        server.start()
        install(server, folder)
        made, controller = Service(server, folder), Controller(server, folder)
        yield server, made, controller
    finally:
        if controller is not None and controller.running:
            controller.end()
        if made is not None:
            made.end()
        server.end()


def test_no_pod_is_lost_none_is_refused_and_what_is_reported_is_true(service: tuple[ApiServer, Service, Controller]) -> None:
    server, webhook, controller = service
    first, second = webhook.add(), webhook.add()
    server.create("/api/v1/namespaces", {"metadata": {"name": "burst"}})
    path = f"{GROUP}/namespaces/burst/llmobservabilities"
    server.create(path, {"apiVersion": "llmobs.dev/v1alpha1", "kind": "LLMObservability", "metadata": {"name": "p"}, "spec": {}})
    until("both know the policy", lambda: all('{state="compiled"} 1.0' in (item.ask("/metrics") or "") for item in (first, second)))
    created: list[tuple[int, bool]] = []
    reached = {count: threading.Event() for count in (100, 200, 300)}

    def create(number: int) -> None:
        pod = {"metadata": {"name": f"p-{number}"}, "spec": {"containers": [{"name": "app", "image": "example.com/app:1"}]}}
        status, answer = server.request("POST", "/api/v1/namespaces/burst/pods", pod)
        created.append((status, (answer["metadata"].get("labels") or {}).get("llmobs.dev/injected") == "true"))
        if len(created) in reached:
            reached[len(created)].set()

    with ThreadPoolExecutor(CLIENTS) as clients:
        waiting = [clients.submit(create, number) for number in range(PODS)]
        assert reached[100].wait(120)
        first.process.end(9)
        assert reached[200].wait(120)
        third = webhook.add()
        assert reached[300].wait(120)
        serial = webhook.rotate()
        for future in waiting:
            future.result()
    assert [status for status, _ in created] == [201] * PODS
    for replica in (second, third):
        until("the new certificate is served", lambda replica=replica: replica.serial == serial)
    assert [replica.wanting for replica in (second, third)] == ["", ""], "a change of authority takes no replica out of service"

    stored = server.get("/api/v1/namespaces/burst/pods")["items"]
    injected = sum(pod["metadata"].get("labels", {}).get("llmobs.dev/injected") == "true" for pod in stored)
    assert (len(stored), injected) == (PODS, sum(done for _, done in created))
    whole = [pod for pod in stored if pod["spec"].get("initContainers")]
    assert len(whole) == injected, "a pod is injected completely or not at all"
    assert injected > PODS // 2
    print(f"{PODS} pods: {injected} injected, {PODS - injected} bare")

    controller.start()
    told = until(
        "the controller has counted",
        lambda: (
            ((server.get(f"{path}/p").get("status") or {}).get("pods") or {}).get("matched") == PODS and server.get(f"{path}/p")["status"]
        ),
    )
    assert told["pods"]["injected"] == injected
    # of a pod made in the second of its policy nobody can know that it was due
    created_at = server.get(f"{path}/p")["metadata"]["creationTimestamp"]
    bare = [pod["metadata"]["creationTimestamp"] for pod in stored if not pod["spec"].get("initContainers")]
    expected = Counter("BeforePolicy" if moment <= created_at else "Missed" for moment in bare)
    assert {item["reason"]: item["count"] for item in told.get("skipped", [])} == expected
    assert [replica.wanting for replica in (second, third)] == ["", ""]
    server.create("/api/v1/namespaces/burst/pods", {"metadata": {"name": "after"}, "spec": {"containers": [{"name": "app", "image": "i"}]}})
    assert server.get("/api/v1/namespaces/burst/pods/after")["metadata"]["labels"]["llmobs.dev/injected"] == "true"
