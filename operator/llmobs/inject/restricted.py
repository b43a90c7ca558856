"""What Pod Security's level ``restricted`` asks of a container, for those of ours."""

from __future__ import annotations

USER_ID = 65532
"""Numeric, so that runAsNonRoot can be checked before the container starts; owns nothing in any image."""

SECURITY_CONTEXT = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "privileged": False,
    "readOnlyRootFilesystem": True,
    "runAsGroup": USER_ID,
    "runAsNonRoot": True,
    "runAsUser": USER_ID,
    "seccompProfile": {"type": "RuntimeDefault"},
}
"""All of it, whatever the pod itself sets."""
