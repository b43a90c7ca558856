"""The commands, put together: one module each, imported only when it is asked for."""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Sequence
from importlib.metadata import version

from llmobs.api.names import OPERATOR
from llmobs.kit.errors import Invalid

COMMANDS = {
    "render": "print what the operator would create, from files, without a cluster",
    "inject": "show what admission would do to a pod or workload, from files, without a cluster",
    "why": "say why a pod or workload of a cluster is instrumented or not, and whether its telemetry arrives",
    "run": "run the controller",
    "webhook": "run the admission webhook",
    "generate": "write the CRDs, reference, runbooks and dashboards (for developers of this project)",
}

EPILOG = """\
first steps:
  llmobs render -f policy.yaml                     what would exist for this LLMObservability
  llmobs inject -f deployment.yaml -p policy.yaml --explain
                                                   would its pods be instrumented, how, and why not
  llmobs why deployment/api -n team-chat           is it instrumented in the cluster, and why not

exit status: 0 done, 1 failed, 2 bad input, 3 not injected (inject, why)
"""


def program(arguments: Sequence[str]) -> int:
    """Parse ``arguments``, run the command, and return its exit status."""
    asked = next((word for word in arguments if word in COMMANDS), None)
    parsed = _parser(asked).parse_args(list(arguments))
    try:
        return int(parsed.run(parsed))
    except Invalid as error:
        print(f"llmobs {parsed.command}: {error}", file=sys.stderr)
        return 2
    except BrokenPipeError:
        return 1
    except KeyboardInterrupt:
        return 130


def _parser(asked: str | None) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="llmobs",
        description="LLM telemetry for Kubernetes: traces, cost, budgets, objectives and alerts from one custom resource per namespace.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"llmobs {version(OPERATOR)}")
    subparsers = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name, said in COMMANDS.items():
        if name == asked:
            importlib.import_module(f"llmobs.cli.{name}").add(subparsers)
        else:
            subparsers.add_parser(name, help=said)
    return parser
