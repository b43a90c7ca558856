"""The review that is measured: a pod as an API server sends it, with what controllers and defaulting add."""

from __future__ import annotations

import json
from typing import Any


def review(namespace: str) -> bytes:
    """An AdmissionReview of a pod of a Deployment: two containers, 17 variables, probes, a projected token."""
    return json.dumps(
        {
            "apiVersion": "admission.k8s.io/v1",
            "kind": "AdmissionReview",
            "request": {
                "uid": "705ab4f5-6393-11e8-b7cc-42010a800002",
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
    labels = {"app": "checkout", "team": "payments", "pod-template-hash": "5d4f8c7b96", "app.kubernetes.io/name": "checkout"}
    owner = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "checkout-5d4f8c7b96", "uid": "1", "controller": True}
    owner["blockOwnerDeletion"] = True
    managed = {"manager": "kube-controller-manager", "operation": "Update", "apiVersion": "v1", "fieldsType": "FieldsV1"}
    fields = {f"f:{name}": {".": {}, "f:image": {}, "f:name": {}, "f:env": {}, "f:resources": {}} for name in labels}
    return {
        "kind": "Pod",
        "apiVersion": "v1",
        "metadata": {
            "generateName": "checkout-5d4f8c7b96-",
            "namespace": namespace,
            "creationTimestamp": None,
            "labels": labels,
            "annotations": {"prometheus.io/scrape": "true", "prometheus.io/port": "8080"},
            "ownerReferences": [owner],
            "managedFields": [{**managed, "fieldsV1": {"f:metadata": fields, "f:spec": fields}}],
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
    return {"name": "kube-api-access-x7k2p", "projected": {"sources": sources, "defaultMode": 420}}


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
            {"name": "kube-api-access-x7k2p", "readOnly": True, "mountPath": "/var/run/secrets/kubernetes.io/serviceaccount"},
        ],
        "livenessProbe": probe,
        "readinessProbe": probe,
        "terminationMessagePath": "/dev/termination-log",
        "imagePullPolicy": "IfNotPresent",
        "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
    }
