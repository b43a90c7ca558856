"""The reviews that are measured: pods as an API server sends them, with what controllers and defaulting add."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from typing import Any

TEMPLATES = 50
"""Workloads that are rolled out at the same time, each in a namespace of its own."""

_HASH, _UID, _RANDOM = "5d4f8c7b96", "705ab4f5-6393-11e8-b7cc-42010a800002", "x7k2p"

Requests = Callable[[], bytes]
"""The next request to be sent."""


def of_templates() -> Requests:
    """Pods of several Deployments by turns; those of one differ in what differs among pods of one ReplicaSet."""
    kinds = [_pieces(f"team-{number}", f"{number:010x}") for number in range(TEMPLATES)]
    turns = zip(itertools.count(1), itertools.cycle(kinds))

    def following() -> bytes:
        number, (before, *after) = next(turns)
        return before + b"%036x" % number + (b"%05x" % (number & 0xFFFFF)).join(after)

    return following


def all_different() -> Requests:
    """Pods each of which has a template of its own."""
    before, *after = _pieces("team-7", _HASH)
    numbers = itertools.count(1)

    def following() -> bytes:
        number = next(numbers)
        made = before + b"%036x" % number + (b"%05x" % (number & 0xFFFFF)).join(after)
        return made.replace(_HASH.encode(), b"%010x" % number)

    return following


def _pieces(namespace: str, name: str) -> list[bytes]:
    """A request, cut at its uid and at each mention of the token volume's random end."""
    body = review(namespace).replace(_HASH.encode(), name.encode())
    head = f"POST /mutate?timeout=2s HTTP/1.1\r\nHost: webhook\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    before, after = body.split(_UID.encode())
    return [head.encode() + before, *after.split(_RANDOM.encode())]


def review(namespace: str) -> bytes:
    """An AdmissionReview of a pod of a Deployment: two containers, 17 variables, probes, a projected token."""
    return json.dumps(
        {
            "kind": "AdmissionReview",
            "apiVersion": "admission.k8s.io/v1",
            "request": {
                "uid": _UID,
                "kind": {"group": "", "version": "v1", "kind": "Pod"},
                "resource": {"group": "", "version": "v1", "resource": "pods"},
                "requestKind": {"group": "", "version": "v1", "kind": "Pod"},
                "requestResource": {"group": "", "version": "v1", "resource": "pods"},
                "namespace": namespace,
                "operation": "CREATE",
                "userInfo": {"username": "system:serviceaccount:kube-system:replicaset-controller", "groups": ["system:authenticated"]},
                "object": _pod(namespace),
                "oldObject": None,
                "dryRun": False,
                "options": {"kind": "CreateOptions", "apiVersion": "meta.k8s.io/v1"},
            },
        },
        separators=(",", ":"),
    ).encode()


def _pod(namespace: str) -> dict[str, Any]:
    labels = {"app": "checkout", "team": "payments", "pod-template-hash": _HASH, "app.kubernetes.io/name": "checkout"}
    owner = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": f"checkout-{_HASH}", "uid": "1", "controller": True}
    owner["blockOwnerDeletion"] = True
    managed = {"manager": "kube-controller-manager", "operation": "Update", "apiVersion": "v1", "time": "2026-11-01T12:00:00Z"}
    fields: dict[str, Any] = {f"f:{name}": {".": {}, "f:image": {}, "f:name": {}, "f:env": {}, "f:resources": {}} for name in labels}
    return {
        "kind": "Pod",
        "apiVersion": "v1",
        "metadata": {
            "generateName": f"checkout-{_HASH}-",
            "namespace": namespace,
            "labels": labels,
            "annotations": {"prometheus.io/scrape": "true", "prometheus.io/port": "8080"},
            "ownerReferences": [owner],
            "managedFields": [{**managed, "fieldsType": "FieldsV1", "fieldsV1": {"f:metadata": fields, "f:spec": fields}}],
        },
        "spec": {
            "volumes": [_token(), {"name": "config", "configMap": {"name": "checkout", "defaultMode": 420}}],
            "containers": [_container("app", 12), _container("worker", 5)],
            "restartPolicy": "Always",
            "terminationGracePeriodSeconds": 30,
            "dnsPolicy": "ClusterFirst",
            "serviceAccountName": "default",
            "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
            "schedulerName": "default-scheduler",
            "tolerations": [
                {"key": f"node.kubernetes.io/{key}", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300}
                for key in ("not-ready", "unreachable")
            ],
            "priority": 0,
            "enableServiceLinks": True,
            "preemptionPolicy": "PreemptLowerPriority",
        },
        "status": {},
    }


def _token() -> dict[str, Any]:
    sources = [
        {"serviceAccountToken": {"expirationSeconds": 3607, "path": "token"}},
        {"configMap": {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}},
    ]
    return {"name": f"kube-api-access-{_RANDOM}", "projected": {"sources": sources, "defaultMode": 420}}


def _container(name: str, variables: int) -> dict[str, Any]:
    probe = {"httpGet": {"path": "/healthz", "port": 8080, "scheme": "HTTP"}, "periodSeconds": 10, "failureThreshold": 3}
    return {
        "name": name,
        "image": "registry.example.com/shop/checkout:1.42.0",
        "command": ["python", "-m", f"checkout.{name}"],
        "ports": [{"name": "http", "containerPort": 8080, "protocol": "TCP"}],
        "env": [{"name": f"CHECKOUT_{name.upper()}_SETTING_{number}", "value": f"value-{number}"} for number in range(variables)],
        "resources": {"requests": {"cpu": "250m", "memory": "256Mi"}, "limits": {"memory": "512Mi"}},
        "volumeMounts": [
            {"name": "config", "mountPath": "/etc/checkout"},
            {"name": f"kube-api-access-{_RANDOM}", "readOnly": True, "mountPath": "/var/run/secrets/kubernetes.io/serviceaccount"},
        ],
        "livenessProbe": probe,
        "readinessProbe": probe,
        "terminationMessagePath": "/dev/termination-log",
        "imagePullPolicy": "IfNotPresent",
        "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
    }
