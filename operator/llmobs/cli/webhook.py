"""``llmobs webhook``: the production webhook, fed from the cluster or from files."""

from __future__ import annotations

import argparse
import logging
import os
from pathlib import Path
from typing import Any

from llmobs.cli.documents import settings
from llmobs.inject.compiled import Platform
from llmobs.kit.errors import Invalid

EPILOG = """\
examples:
  llmobs webhook --tls-cert tls.crt --tls-key tls.key
  llmobs webhook --policies policies/ --tls-cert tls.crt --tls-key tls.key --port 0 --host 127.0.0.1

POST /mutate takes an AdmissionReview and answers allowed: true whatever happens; a pod that is to be instrumented gets a JSON
patch. /readyz is 503 until all policies are read. Certificate and policies are read again when their files change. SIGTERM
lets requests under way finish.
"""

NAMESPACE_VARIABLE = "POD_NAMESPACE"


def add(subparsers: Any) -> None:
    """Register the command."""
    parser = subparsers.add_parser(
        "webhook",
        help="run the admission webhook",
        description="Serve the admission webhook over TLS, and probes and metrics over plain HTTP.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--policies", type=Path, metavar="DIR", help="read policies and namespaces from these files instead of from the cluster"
    )
    parser.add_argument(
        "--kubeconfig", metavar="FILE", help="the cluster to read from (default: KUBECONFIG, else the cluster this runs in)"
    )
    parser.add_argument("--tls-cert", type=Path, required=True, metavar="FILE", help="certificate chain, PEM")
    parser.add_argument("--tls-key", type=Path, required=True, metavar="FILE", help="its key, PEM")
    parser.add_argument("--port", type=int, default=9443, metavar="N", help="TLS port; 0 takes a free one (default: %(default)s)")
    parser.add_argument(
        "--metrics-port",
        type=int,
        default=0,
        metavar="N",
        help="plain port of /metrics, /readyz and /healthz; 0 takes a free one (default: %(default)s)",
    )
    parser.add_argument("--host", default="", metavar="ADDRESS", help="address to listen on (default: every one)")
    parser.add_argument("--config", metavar="FILE", help="the operator's configuration file (default: the defaults)")
    parser.add_argument(
        "--namespace",
        default=os.environ.get(NAMESPACE_VARIABLE) or Platform().namespace,
        metavar="NS",
        help=f"the operator's namespace, where the gateway lives (default: {NAMESPACE_VARIABLE}, else {Platform().namespace})",
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Serve until told to stop."""
    from llmobs.webhook.server import Options, serve

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    platform = Platform(settings=settings(args.config), namespace=args.namespace)
    options = Options(certificate=args.tls_cert, key=args.tls_key, port=args.port, metrics_port=args.metrics_port, host=args.host)
    serve(_source(args), platform, options, listening=_listening)
    return 0


def _source(args: argparse.Namespace) -> Any:
    # Each only where it is used: the client of the API server costs 50 MB.
    if args.policies is None:
        from llmobs.webhook.watched import ClusterSource

        return ClusterSource(args.kubeconfig)
    from llmobs.webhook.files import FileSource

    if args.kubeconfig:
        raise Invalid("--kubeconfig", "has no meaning with --policies; give one of them")
    return FileSource(args.policies)


def _listening(port: int, metrics_port: int) -> None:
    print(f"listening on https port {port}, metrics on http port {metrics_port}", flush=True)
