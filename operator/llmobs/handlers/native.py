"""Where the API server itself instruments: the objects that make it do so, and what keeps it from doing so."""

from __future__ import annotations

from collections.abc import Iterator

from llmobs.api.conditions import ConditionType, Finding
from llmobs.api.effective import Policy
from llmobs.cluster.installation import ADMISSION, reference
from llmobs.cluster.kinds import ADMISSION_KINDS, CLUSTER_ROLE
from llmobs.cluster.live import ADMISSION as OWNER
from llmobs.cluster.live import live
from llmobs.handlers.context import Context
from llmobs.handlers.parts import carry_out
from llmobs.handlers.places import placed, platform
from llmobs.handlers.reader import View
from llmobs.inject.compiled import compiled
from llmobs.inject.limits import inexpressible
from llmobs.inject.native.manifests import manifests
from llmobs.inject.select import Namespace
from llmobs.plan.inputs import Part


def unserved(context: Context) -> str | None:
    """Why the API server instruments no pod at all; None when it does, or that is not known."""
    if context.facts.admission_policies is not False:
        return None
    version = ".".join(map(str, context.facts.version or ())) or "of a version that it does not tell"
    return (
        "admission.by AdmissionPolicy needs an API server that serves MutatingAdmissionPolicy in admissionregistration.k8s.io/v1, as"
        f" Kubernetes 1.36 does; this one is {version}: no pod is changed; set the chart's value admission.by to Webhook"
    )


def refused(context: Context, policy: Policy) -> str | None:
    """What of a policy an admission policy can't express, so that none is made for it; None when it can, or a webhook instruments."""
    if not context.settings.admission.native:
        return None
    found = inexpressible(compiled(policy, platform(context)))
    return f"no pod is changed, because an admission policy can't express {'; nor '.join(found)}" if found else None


async def reconcile(context: Context, view: View) -> tuple[Finding, ...]:
    """Bring these objects to where they should be; nothing where a webhook instruments, or the API server knows none of them."""
    if not context.settings.admission.native or unserved(context) is not None:
        return ()
    there = await live(context.client, ADMISSION_KINDS, owner=OWNER, namespace=context.namespace)
    made = tuple(manifests(_places(context, view), platform(context)))
    role = await context.client.get(CLUSTER_ROLE, ADMISSION)
    # not the fleet's owners: the chart takes this role away where a webhook is to instrument again, and what it owns goes with it
    return await carry_out(context, [Part(ConditionType.INJECTION_READY, made)], there, {False: reference(role)} if role else {})


def _places(context: Context, view: View) -> Iterator[Namespace]:
    return (placed(context, view, name) for name in sorted(view.within))
