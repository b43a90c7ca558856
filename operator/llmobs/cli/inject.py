"""``llmobs inject``: what admission would do to pods and workloads from files, and why."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from llmobs.api.names import INJECT
from llmobs.cli.documents import documents, key_values, kubernetes_version, resources, settings
from llmobs.inject.compiled import Platform
from llmobs.inject.decide import Decision, decide
from llmobs.inject.explain import container_notes, policy_sentence
from llmobs.inject.pod import Pod, decode
from llmobs.inject.reasons import Reason
from llmobs.inject.select import NEWEST, Namespace
from llmobs.inject.verdicts import verdicts
from llmobs.inject.workload import Seen, patched, relocated, seen, supported
from llmobs.kit.documents import Document, dump
from llmobs.kit.errors import Invalid
from llmobs.webhook.store import CORE, KINDS, NAMESPACE, Place, Store, location

EPILOG = """\
examples:
  llmobs inject -f deployment.yaml -p policy.yaml --explain
  kubectl get deployment api -o yaml | llmobs inject -f - -p policies/ -o patch
  llmobs inject -f pod.yaml -p policy.yaml --namespace-labels llmobs.dev/inject=false --explain

Standard output is the object as admission would leave it; one that is not instrumented comes back unchanged.
For a workload that is the workload with its pod template changed, so that you see what its pods will look like.
Nothing is sent anywhere: no cluster is needed.

exit status: 0 instrumented, 3 not instrumented (--explain says why), 2 bad input
"""

INJECTED, NOT_INJECTED = 0, 3


def add(subparsers: Any) -> None:
    """Register the command."""
    parser = subparsers.add_parser(
        "inject",
        help="show what admission would do to a pod or workload, from files, without a cluster",
        description="Show what admission would do to a pod, Deployment, StatefulSet, DaemonSet, ReplicaSet, Job or CronJob.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("-f", "--filename", required=True, metavar="FILE", help="the pod or workload, YAML or JSON; - reads standard input")
    parser.add_argument(
        "-p",
        "--policies",
        required=True,
        nargs="+",
        action="extend",
        metavar="FILE_OR_DIR",
        help="LLMObservability, ClusterLLMObservability, Namespace, LimitRange and ResourceQuota objects: files, or folders of them",
    )
    parser.add_argument(
        "--namespace-labels", default="", metavar="K=V,…", help="labels of the pod's namespace, beside those of a Namespace object in -p"
    )
    newest = ".".join(map(str, NEWEST))
    parser.add_argument("--kube-version", default=newest, metavar="V", help=f"version of the API server to assume (default: {newest})")
    parser.add_argument("--explain", action="store_true", help="say on standard error what was decided and why, container by container")
    parser.add_argument(
        "-o",
        "--output",
        choices=("yaml", "json", "patch"),
        default="yaml",
        help="the object as yaml (default) or json, or the JSON patch that admission would answer with",
    )
    parser.add_argument("--config", metavar="FILE", help="the operator's configuration file, for its images (default: the defaults)")
    parser.add_argument(
        "--operator-namespace", default=Platform().namespace, metavar="NS", help="where the operator runs (default: %(default)s)"
    )
    parser.set_defaults(run=run)


@dataclass(frozen=True)
class _Outcome:
    """One object: what came of it."""

    result: dict[str, Any]
    patch: list[dict[str, Any]]
    reason: Reason | None
    """None for an object that is neither pod nor workload and passes through."""


def run(args: argparse.Namespace) -> int:
    """Decide on every object of the file and print the result."""
    given = documents([args.filename])
    namespaces = {str((item.body.get("metadata") or {}).get("namespace") or "default") for item in given if supported(item.body)}
    if not namespaces:
        raise Invalid(args.filename, "holds no Pod, Deployment, StatefulSet, DaemonSet, ReplicaSet, Job or CronJob")
    labels = key_values(args.namespace_labels, option="--namespace-labels")
    store = _store(args, dict.fromkeys(sorted(namespaces), labels))
    outcomes = [_outcome(item, store, explain=args.explain) for item in given]
    _print(outcomes, args)
    return INJECTED if any(item.reason is Reason.INJECTED for item in outcomes) else NOT_INJECTED


def _store(args: argparse.Namespace, labels: Mapping[str, Mapping[str, str]]) -> Store:
    """Policies as the webhook would have them, except that the first invalid one is an error here."""
    platform = Platform(settings=settings(args.config), namespace=args.operator_namespace)
    store = Store(platform, version=kubernetes_version(args.kube_version, option="--kube-version"))
    found = resources(args.policies, beside=CORE)
    sources: dict[Place, str] = {}
    for kind in KINDS:
        for item in found[kind]:
            where = _place(kind, item)
            if where in sources:
                raise Invalid(item.source, f"{where} stands in {sources[where]} already; keep one of them")
            sources[where] = item.source
        store.replace(kind, [item.body for item in found[kind]])
    given = {item.body["metadata"]["name"]: item.body["metadata"] for item in found[NAMESPACE]}
    for name, added in labels.items():
        known = given.get(name, {})
        labels_of = {**(known.get("labels") or {}), **added}
        store.put(NAMESPACE, {"metadata": {**known, "name": name, "labels": labels_of}})
    for where, invalid in store.problems.items():
        raise Invalid(f"{sources[where]}: {where}: {invalid.path}", invalid.message)
    return store


def _place(kind: str, item: Document) -> Place:
    try:
        return location(kind, item.body)
    except Invalid as invalid:
        raise Invalid(f"{item.source}: {kind}: {invalid.path}", invalid.message) from invalid


def _outcome(item: Document, store: Store, *, explain: bool) -> _Outcome:
    if not supported(item.body):
        return _Outcome(item.body, [], None)
    try:
        found = seen(item.body)
        pod = _decoded(found)
        namespace = store.namespace(found.namespace)
        decision = decide(pod, namespace, size=len(msgspec.json.encode(found.pod)))
    except Invalid as invalid:
        raise Invalid(f"{item.source}: {invalid.path}", invalid.message) from invalid
    except ValueError as error:
        raise Invalid(item.source, f"{error}; correct it, the API server would refuse it too") from error
    patch = relocated(decision.operations, item.body, found.path)
    if explain:
        _explain(item.body, found, pod, decision, namespace)
    return _Outcome(patched(item.body, patch), patch, decision.reason)


def _decoded(found: Seen) -> Pod:
    try:
        return decode(msgspec.json.encode(found.pod))
    except msgspec.ValidationError as error:
        said, _, at = str(error).partition(" - at ")
        path = ".".join([*found.path, at.strip("`").removeprefix("$").lstrip(".")])
        raise Invalid(path, f"{said[0].lower()}{said[1:]}; correct it, the API server would refuse it too") from error
    except (TypeError, RecursionError) as error:
        raise Invalid(".".join(found.path), f"cannot be sent to an API server: {error}") from error


def _explain(body: Mapping[str, Any], found: Seen, pod: Pod, decision: Decision, namespace: Namespace) -> None:
    meta = body.get("metadata") or {}
    name = meta.get("name") or meta.get("generateName") or "without a name"
    lines = [
        f"{body['kind']} {found.namespace}/{name}",
        f"  decision: {decision.reason.decision}",
        f"  reason: {decision.reason.value}: {decision.reason.sentence}",
        f"  policy: {policy_sentence(decision)}",
        *(f"  check {item}" for item in verdicts(pod, namespace, decision.policy)),
        *(f"  {note}" for note in container_notes(pod, decision, namespace)),
    ]
    own = (meta.get("labels") or {}).get(INJECT)
    if found.path and own is not None and INJECT not in ((found.pod["metadata"].get("labels")) or {}):
        lines.append(f"  note: the label {INJECT} on the {body['kind']} itself has no effect; set it on the pod template")
    print("\n".join(lines), file=sys.stderr)


def _print(outcomes: list[_Outcome], args: argparse.Namespace) -> None:
    if args.output == "patch":
        patches = [item.patch for item in outcomes if item.reason is not None]
        if len(patches) > 1:
            raise Invalid(args.filename, "holds several pods and workloads, whose patches cannot be told apart; give one, or use -o yaml")
        print(json.dumps(patches[0], indent=2, ensure_ascii=False))
    elif args.output == "json":
        results = [item.result for item in outcomes]
        whole = results[0] if len(results) == 1 else {"apiVersion": "v1", "kind": "List", "items": results}
        print(json.dumps(whole, indent=2, ensure_ascii=False))
    else:
        sys.stdout.write(dump(item.result for item in outcomes))
