"""One folder per case: a pod or workload, policies, the reason, and what admission makes of it.

``UPDATE_GOLDEN=1`` writes ``want.yaml`` anew; a case that is left alone has none. ``arguments`` holds further arguments.
"""

from __future__ import annotations

import base64
import json
import os
import shlex
from pathlib import Path

import jsonpatch
import pytest
import yaml
from llmobs.cli.documents import resources
from llmobs.cli.program import program
from llmobs.inject import agents
from llmobs.inject.compiled import Platform
from llmobs.inject.reasons import Reason
from llmobs.kit.documents import read
from llmobs.webhook.review import answer
from llmobs.webhook.store import CORE, KINDS, Store

CASES = sorted(path.parent for path in Path(__file__).parent.glob("cases/*/pod.yaml"))
PODS = [
    case
    for case in CASES
    if not (case / "arguments").exists() and yaml.safe_load((case / "pod.yaml").read_text(encoding="utf-8"))["kind"] == "Pod"
]
AT_THE_WEBHOOK_ONLY = {Reason.NOT_A_POD, Reason.UNREADABLE, Reason.FAILED}
TOO_LARGE_FOR_A_FILE_HERE = {Reason.TOO_LARGE}


def reason(case: Path) -> Reason:
    return Reason((case / "reason").read_text(encoding="utf-8").strip())


def arguments(case: Path, *further: str) -> list[str]:
    own = case / "arguments"
    more = shlex.split(own.read_text(encoding="utf-8")) if own.exists() else []
    return ["inject", "-f", str(case / "pod.yaml"), "-p", str(case / "policy.yaml"), *more, *further]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_case(case: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status = program(arguments(case, "--explain"))

    printed = capsys.readouterr()
    given = read(case / "pod.yaml")[0].body
    want = case / "want.yaml"
    assert f"reason: {reason(case).value}: {reason(case).sentence}" in printed.err
    if reason(case) is not Reason.INJECTED:
        assert status == 3
        assert yaml.safe_load(printed.out) == given
        assert not want.exists()
        return
    if os.environ.get("UPDATE_GOLDEN"):
        want.write_text(printed.out, encoding="utf-8")
    assert status == 0
    assert printed.out == want.read_text(encoding="utf-8")


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_printed_patch_leads_to_the_printed_object(case: Path, capsys: pytest.CaptureFixture[str]) -> None:
    program(arguments(case, "-o", "json"))
    whole = json.loads(capsys.readouterr().out)
    program(arguments(case, "-o", "patch"))
    patch = json.loads(capsys.readouterr().out)

    assert jsonpatch.apply_patch(read(case / "pod.yaml")[0].body, patch) == whole
    assert bool(patch) == (reason(case) is Reason.INJECTED)


@pytest.mark.parametrize("case", PODS, ids=lambda case: case.name)
def test_the_webhook_does_what_the_command_prints(case: Path) -> None:
    pod = read(case / "pod.yaml")[0].body
    store = Store(Platform())
    found = resources([str(case / "policy.yaml")], beside=CORE)
    for kind in KINDS:
        store.replace(kind, [item.body for item in found[kind]])
    namespace = pod["metadata"].get("namespace", "default")

    made = answer(review(pod, namespace), store)

    response = json.loads(made.body)["response"]
    patch = json.loads(base64.b64decode(response.get("patch", "W10=")))
    expected = pod if reason(case) is not Reason.INJECTED else yaml.safe_load((case / "want.yaml").read_text(encoding="utf-8"))
    assert made.reason is reason(case)
    assert response["allowed"] is True
    assert jsonpatch.apply_patch(pod, patch) == expected


def review(pod: object, namespace: str) -> bytes:
    request = {"uid": "1", "kind": {"kind": "Pod"}, "operation": "CREATE", "namespace": namespace, "object": pod}
    return json.dumps({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": request}).encode()


def test_every_sign_of_another_agent_has_a_case() -> None:
    left = "".join((case / "pod.yaml").read_text(encoding="utf-8") for case in CASES if reason(case) is Reason.OTHER_AGENT)
    signs = [*agents.INIT_CONTAINERS, *agents.INIT_PREFIXES, *agents.ANNOTATIONS, agents.ODIGOS_DISTRIBUTION, agents.ODIGOS_FILES]

    assert [sign for sign in signs if sign not in left] == []
    assert [name for name in agents.VOLUMES if f"- name: {name}\n" not in left] == []


def test_every_reason_has_a_case() -> None:
    assert {reason(case) for case in CASES} == set(Reason) - AT_THE_WEBHOOK_ONLY - TOO_LARGE_FOR_A_FILE_HERE
