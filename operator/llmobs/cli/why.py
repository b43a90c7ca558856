"""``llmobs why``: what is true of a pod or workload of a cluster, with the rights of the person who asks."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from llmobs.api import names
from llmobs.api.settings import Admission, Instrumenter, Settings
from llmobs.api.workload import Workload
from llmobs.cli.account import Object, account, controlled, dated, document, series, text
from llmobs.cluster import installation
from llmobs.cluster.calls import NOT_ASKED, arrival
from llmobs.cluster.client import Client, connected, current_namespace
from llmobs.cluster.errors import Refused
from llmobs.cluster.facts import version
from llmobs.cluster.kinds import (
    ADMISSION_POLICY,
    CRON_JOB,
    DAEMON_SET,
    DEPLOYMENT,
    FLEET,
    JOB,
    LIMIT_RANGE,
    NAMESPACE,
    POD,
    POLICY,
    QUOTA,
    STATEFUL_SET,
    Resource,
)
from llmobs.cluster.pods import pods
from llmobs.inject.compiled import Platform
from llmobs.inject.select import NEWEST
from llmobs.kit.errors import Invalid, NotYet
from llmobs.webhook.store import Store

EPILOG = """\
examples:
  llmobs why deployment/api -n team-chat
  kubectl llmobs why pod/api-7c9d-x2x4z -n team-chat --prometheus http://localhost:9090
  llmobs why cronjob/nightly -n batch --output json

The state of a pod is Injected, Outdated (instrumented otherwise than its policy says now), Missed (admission would instrument it
now; create it anew), BeforePolicy (the same, and it is older than its policy), Ungoverned (injected, but no policy
selects it any more), or the reason why it was left alone.
Needed rights: get and list of llmobservabilities and pods in the namespace, list of its limitranges and resourcequotas, get of the
workload and of the namespace, list of clusterllmobservabilities. Who may also get the mutatingwebhookconfiguration llmobs-webhook is told
where admission is not asked about the namespace at all. Nothing is written.

exit status: 0 every pod is injected as its policy says (without pods: the next would be), 3 not so, 1 the cluster does not tell,
2 bad input, such as a name that does not exist
"""

KINDS = {item.kind.lower(): item for item in (POD, DEPLOYMENT, STATEFUL_SET, DAEMON_SET, JOB, CRON_JOB)}
_SHORT = {"po": "pod", "deploy": "deployment", "sts": "statefulset", "ds": "daemonset", "cj": "cronjob"}
WHOLE, FAILED, NOT_WHOLE = 0, 1, 3


def add(subparsers: Any) -> None:
    """Register the command."""
    parser = subparsers.add_parser(
        "why",
        help="say why a pod or workload of a cluster is instrumented or not, and whether its telemetry arrives",
        description="Say which policy applies to a pod or workload of a cluster, every check, what would change, and how its pods fare.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("target", metavar="KIND/NAME", help=f"one of {', '.join(KINDS)}, and its name")
    parser.add_argument("-n", "--namespace", metavar="NS", help="where it is (default: the context's namespace, else default)")
    parser.add_argument("--kubeconfig", metavar="FILE", help="how to reach the cluster (default: KUBECONFIG, ~/.kube/config, in-cluster)")
    parser.add_argument("--context", metavar="NAME", help="a context of that file (default: its current one)")
    parser.add_argument("--prometheus", metavar="URL", help="ask this Prometheus whether telemetry has arrived (default: not asked)")
    parser.add_argument("-o", "--output", choices=("text", "json"), default="text", help="text (default) or json")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Run the command; the result is the exit status."""
    try:
        return asyncio.run(_why(arguments))
    except Refused as refused:
        print(f"llmobs why: {refusal(refused)}", file=sys.stderr)
    except NotYet as error:
        print(f"llmobs why: {error}", file=sys.stderr)
    return FAILED


def refusal(refused: Refused) -> str:
    """What the API server's no means for who asked, with its own words, which name user, verb and resource."""
    if refused.status == 403:
        return f"a right is missing; have an administrator grant it: {refused.message}"
    if refused.status == 401:
        return f"the API server does not know who asks; log in anew: {refused}"
    if refused.status == 404:
        return f"the API server does not know this kind; is the operator installed? {refused}"
    return str(refused)


def target(asked: str) -> tuple[Resource, str]:
    """Kind and name of ``KIND/NAME``. Raises :class:`Invalid`."""
    word, _, name = asked.partition("/")
    word = word.lower()
    singular = _SHORT.get(word, word.removesuffix("s") if word.removesuffix("s") in KINDS else word)
    if singular not in KINDS or not name or "/" in name:
        raise Invalid(asked, f"must be KIND/NAME with one of the kinds {', '.join(KINDS)}")
    return KINDS[singular], name


async def _why(arguments: argparse.Namespace) -> int:
    kind, name = target(arguments.target)
    kubeconfig = _kubeconfig(arguments)
    where = arguments.namespace or current_namespace(kubeconfig, context=arguments.context)
    async with connected(kubeconfig, context=arguments.context) as client:
        body = await client.get(kind, name, namespace=where)
        if body is None:
            raise Invalid(f"{kind.kind.lower()}/{name}", f"does not exist in namespace {where}; give its namespace with -n")
        body = {**body, "apiVersion": kind.api_version, "kind": kind.kind}
        policies: list[Object] = (await client.list(POLICY, namespace=where))[0]
        store = await _store(client, where, policies)
        unasked = await installation.unasked(client, where, store.namespace(where).labels)
        behind = [body] if kind is POD else controlled(await pods(client, where), Workload(kind.kind, name))
    told = await arrival(arguments.prometheus, namespace=where, workload=series(body)) if arguments.prometheus else NOT_ASKED
    problems = [f"{place}: {invalid}" for place, invalid in store.problems.items()]
    said = f"{kind.kind.lower()}/{name}"
    place = store.namespace(where)
    found = account(body, target=said, place=dated(place, policies), pods=behind, arrival=told, problems=problems)
    found = replace(found, unasked=unasked)
    print(text(found) if arguments.output == "text" else json.dumps(document(found), indent=2, ensure_ascii=False))
    return WHOLE if found.whole else NOT_WHOLE


async def _store(client: Client, namespace: str, policies: list[Object]) -> Store:
    """What admission knows of one namespace with these policies."""
    store = Store(Platform(settings=await _settings(client)), version=await version(client) or NEWEST)
    own: Object | None = await client.get(NAMESPACE, namespace)
    store.replace(NAMESPACE.kind, [own] if own else [])
    for kind in (LIMIT_RANGE, QUOTA):
        store.replace(kind.kind, (await client.list(kind, namespace=namespace))[0])
    store.replace(FLEET.kind, (await client.list(FLEET))[0])
    store.replace(POLICY.kind, policies)
    return store


async def _settings(client: Client) -> Settings:
    """The usual settings, but for who instruments: the API server itself where there is an admission policy of ours."""
    try:
        native = bool((await client.list(ADMISSION_POLICY, labels=f"{names.MANAGED_BY}={names.OPERATOR}"))[0])
    except Refused:  # who asks may not see it
        native = False
    return Settings(admission=Admission(by=Instrumenter.ADMISSION_POLICY if native else Instrumenter.WEBHOOK))


def _kubeconfig(arguments: argparse.Namespace) -> str | None:
    """The file to read, as kubectl finds it; None lets KUBECONFIG and then the cluster around us decide."""
    usual = Path.home() / ".kube" / "config"
    given: str | None = arguments.kubeconfig or os.environ.get("KUBECONFIG")
    return given or (str(usual) if usual.exists() else None)
