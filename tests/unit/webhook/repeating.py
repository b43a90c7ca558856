"""Reviews as an API server writes them, of pods that share a template."""

from __future__ import annotations

import copy
import json
from typing import Any

HEAD = {"kind": "AdmissionReview", "apiVersion": "admission.k8s.io/v1"}
MOUNT = {"readOnly": True, "mountPath": "/var/run/secrets/kubernetes.io/serviceaccount"}
NODE = "node-{}.example.com"


def sent(number: int, pod: dict[str, Any], *, namespace: str = "team-a", **request: Any) -> bytes:
    """The review of the ``number``-th pod of a template: a uid, a token volume, a second and a node of its own."""
    made = copy.deepcopy(pod)
    token = f"kube-api-access-{'bcdfghjklmnp'[number % 12]}2{number % 7}4z"
    made["metadata"]["managedFields"] = [{"manager": "m", "time": f"2026-11-22T01:02:{number % 60:02}Z", "fieldsType": "FieldsV1"}]
    spec = made["spec"]
    spec["volumes"] = [{"name": token, "projected": {}}, *(spec.get("volumes") or [])]
    for container in [*spec["containers"], *(spec.get("initContainers") or [])]:
        container["volumeMounts"] = [*(container.get("volumeMounts") or []), {"name": token, **MOUNT}]
    terms = [{"matchFields": [{"key": "metadata.name", "operator": "In", "values": [NODE.format(number)]}]}]
    spec.setdefault("affinity", {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": terms}}})
    whole = {"uid": f"{number:08x}-0000-4000-8000-000000000000", "kind": {"kind": "Pod"}, "namespace": namespace}
    body = {**HEAD, "request": {**whole, "operation": "CREATE", "object": made, **request}}
    return json.dumps(body, separators=(",", ":")).encode()
