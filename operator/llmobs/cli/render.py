"""``llmobs render``: what the operator would create for resources from files, without a cluster."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any, TypeVar

from llmobs.api import effective
from llmobs.api.effective import Fleet, Policy
from llmobs.api.kinds import FLEET, POLICY, PRICES
from llmobs.api.v1alpha1.pricelist import LLMPriceListSpec
from llmobs.cli.documents import resources, settings
from llmobs.kit.decode import decode
from llmobs.kit.documents import Document, dump
from llmobs.kit.errors import Invalid
from llmobs.plan import dashboards, rules
from llmobs.plan.build import check, fleet_parts, policy_parts
from llmobs.plan.collector.config import text
from llmobs.plan.inputs import Facts, Inputs, Manifest, Part
from llmobs.prices.table import PriceTable, table

T = TypeVar("T")

EPILOG = """\
examples:
  llmobs render -f examples/policies/                     every object, as YAML
  llmobs render -f policy.yaml --only rules | promtool check rules /dev/stdin
  llmobs render -f policy.yaml --only collector > config.yaml && otelcol validate --config config.yaml
  llmobs render -f policy.yaml -o out/                     one file per object

A namespace's labels, which fleet resources select by, come from Namespace objects among the files.

exit status: 0 done, 2 bad input (with the file, the field's path and the cure)
"""


def add(subparsers: Any) -> None:
    """Register the command."""
    parser = subparsers.add_parser(
        "render",
        help="print what the operator would create, from files, without a cluster",
        description="Print what the operator would create for LLMObservability, ClusterLLMObservability and LLMPriceList resources.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "-f",
        "--filename",
        required=True,
        nargs="+",
        action="extend",
        metavar="FILE",
        help="files or folders of resources; - reads standard input",
    )
    parser.add_argument("-o", "--output", type=Path, metavar="DIR", help="write one file per object into DIR instead of printing")
    parser.add_argument(
        "--only",
        choices=("collector", "rules", "dashboards", "all"),
        default="all",
        help="collector: a bare otelcol configuration; rules: bare rule groups for promtool; dashboards: their ConfigMaps (default: all)",
    )
    parser.add_argument(
        "--config", metavar="FILE", help="the operator's configuration file, as the chart renders it (default: the defaults)"
    )
    parser.add_argument(
        "--operator-namespace", default=Facts().namespace, metavar="NS", help="where the operator runs (default: %(default)s)"
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Read, check, plan and print."""
    inputs = _inputs(args)
    files = dict(_outputs(inputs, args.only))
    if args.output is None:
        sys.stdout.write("---\n".join(files.values()))
        return 0
    args.output.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (args.output / name).write_text(content, encoding="utf-8")
    print(f"wrote {len(files)} files to {args.output}", file=sys.stderr)
    return 0


def _inputs(args: argparse.Namespace) -> Inputs:
    found = resources(args.filename, beside=["Namespace"])
    if not any(found[kind.kind] for kind in (POLICY, FLEET, PRICES)):
        raise Invalid(" ".join(args.filename), "holds no LLMObservability, ClusterLLMObservability or LLMPriceList")
    labels = {str(item.body["metadata"]["name"]): item.body["metadata"].get("labels") or {} for item in found["Namespace"]}
    fleets = _once(_each(found[FLEET.kind], effective.fleet), key=lambda item: item.identity.name)
    policies = _once(_each(found[POLICY.kind], lambda body: _policy(body, fleets, labels)), key=lambda item: item.key)
    namespaces = {item.identity.namespace: labels.get(item.identity.namespace, {}) for item in policies}
    return Inputs(
        settings=settings(args.config),
        facts=Facts(namespace=args.operator_namespace),
        prices=_prices(found[PRICES.kind]),
        policies=tuple(policies),
        fleets=tuple(fleets),
        namespaces=namespaces,
    )


def _policy(body: Mapping[str, Any], fleets: list[Fleet], labels: Mapping[str, Mapping[str, str]]) -> Policy:
    namespace = effective.identity(body, namespace="default").namespace
    made = effective.policy(body, fleets, labels.get(namespace, {}))
    check(made)
    return made


def _prices(documents: list[Document]) -> PriceTable:
    lists = _each(documents, lambda body: (effective.identity(body), decode(LLMPriceListSpec, body.get("spec") or {}, "spec")))
    made = table(lists, at=datetime.now(UTC))
    for name, finding in made.refused.items():
        raise Invalid(f"LLMPriceList {name}: {finding.path}", finding.message)
    return made


def _each(documents: list[Document], parse: Callable[[Mapping[str, Any]], T]) -> list[T]:
    """Every document parsed; a finding names the file and the object it is about."""
    made = []
    for item in documents:
        try:
            made.append(parse(item.body))
        except Invalid as finding:
            name = (item.body.get("metadata") or {}).get("name", "without a name")
            raise Invalid(f"{item.source}: {item.body['kind']} {name}: {finding.path}", finding.message) from finding
    return made


def _once(made: list[T], *, key: Callable[[T], str]) -> list[T]:
    """Sorted, as plans want it; two of one name are an error, because a cluster would keep only the last."""
    ordered = sorted(made, key=key)
    for before, after in pairwise(ordered):
        if key(before) == key(after):
            raise Invalid(key(after), "is given twice; keep one of them")
    return ordered


def _outputs(inputs: Inputs, only: str) -> Iterator[tuple[str, str]]:
    if only == "collector":
        yield "collector.yaml", text(inputs)
    elif only == "rules":
        yield "rules.yaml", dump([rules.bare_groups(inputs)])
    else:
        for manifest in _manifests(_parts(inputs, only)):
            yield _file(manifest), dump([manifest])


def _parts(inputs: Inputs, only: str) -> Iterator[Part]:
    fleet, policy = (dashboards.parts, dashboards.policy_parts) if only == "dashboards" else (fleet_parts, policy_parts)
    yield from fleet(inputs)
    for item in inputs.policies:
        yield from policy(inputs, item)


def _manifests(parts: Iterator[Part]) -> Iterator[Manifest]:
    return (manifest for part in parts for manifest in part.manifests)


def _file(manifest: Manifest) -> str:
    meta = manifest["metadata"]
    words = [meta.get("namespace"), manifest["kind"].lower(), meta["name"]]
    return "_".join(str(word).replace(":", "-") for word in words if word) + ".yaml"
