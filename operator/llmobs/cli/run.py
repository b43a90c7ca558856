"""``llmobs run``: the controller."""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
from typing import Any

from llmobs.cli.documents import settings

DESCRIPTION = """\
Run the controller: it watches LLMObservability, ClusterLLMObservability and LLMPriceList, creates the gateway, rules and
dashboards they ask for, and writes back how things stand. One replica; it may be killed at any time.

The cluster is the one of --kubeconfig, else of the variable KUBECONFIG, else the one it runs in.
"""


def add(subparsers: Any) -> None:
    """Register the command."""
    parser = subparsers.add_parser(
        "run", help="run the controller", description=DESCRIPTION, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--kubeconfig", metavar="FILE", help="how to reach the cluster (default: KUBECONFIG, else in-cluster)")
    parser.add_argument(
        "--namespace",
        metavar="NS",
        help="the operator's own namespace, where the gateway runs (default: POD_NAMESPACE, else llmobs-system)",
    )
    parser.add_argument("--config", metavar="FILE", help="the configuration file that the chart renders (default: built-in values)")
    parser.add_argument("--once", action="store_true", help="one full pass, then exit: 0 all applied, 1 something was refused")
    parser.add_argument("--metrics-port", metavar="PORT", type=int, default=8080, help="port of /metrics, /healthz, /readyz (default 8080)")
    parser.add_argument("--metrics-host", metavar="ADDRESS", default="0.0.0.0", help="address of that port (default: every address)")  # noqa: S104
    parser.add_argument("--verbose", action="store_true", help="log every decision")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Run the command; the result is the exit status."""
    from llmobs.handlers import operator

    _log(verbose=arguments.verbose)
    options = operator.Options(
        settings=settings(arguments.config),
        namespace=arguments.namespace or os.environ.get("POD_NAMESPACE") or "llmobs-system",
        kubeconfig=arguments.kubeconfig,
        host=arguments.metrics_host,
        port=arguments.metrics_port,
    )
    return asyncio.run(operator.once(options) if arguments.once else operator.run(options))


def _log(*, verbose: bool) -> None:
    logging.basicConfig(
        level=logging.DEBUG if verbose else logging.INFO,
        format="%(asctime)s %(levelname)-7s %(name)s %(message)s",
        force=True,
    )
    if not verbose:
        logging.getLogger("kopf").setLevel(logging.WARNING)
