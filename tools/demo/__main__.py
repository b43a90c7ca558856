"""`make demo`: tell the story, and clean up whatever happens."""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import time
from pathlib import Path

from binaries.failure import Failed, tail
from binaries.places import cache
from cluster.settings import settings
from cluster.stop import down

from demo import ground
from demo.ground import Ground
from demo.screen import fact, heading
from demo.story import CHART, SYSTEM, TEAM, Story

NEXT = f"""\
helm install llmobs charts/{CHART.name} -n {SYSTEM} --create-namespace \\
  --set prometheus.url=http://YOUR-PROMETHEUS:9090
kubectl apply -f examples/policies/fleet.yaml
kubectl apply -f YOUR-POLICY.yaml       # start from examples/policies/team-chat.yaml
kubectl rollout restart deployment YOURS # pods are only ever changed when they are created
What would happen, before it happens: llmobs inject -f deployment.yaml -p policy.yaml --explain"""


def main() -> int:
    """Exit status 0 when the whole story was told."""
    options = _options()
    signal.signal(signal.SIGTERM, _interrupt)
    log = cache(os.environ).parent / "demo" / "demo.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    log.write_text("")
    began = time.monotonic()
    stage: dict[str, Ground] = {}
    try:
        _told(options, log, stage)
        heading(9, "On your own cluster")
        fact(NEXT)
    except Failed as failed:
        print(f"\ndemo: {failed}", file=sys.stderr)
        print(f"everything that was called: {log}", file=sys.stderr)
        if failed.log:
            print(tail(failed.log), file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\ndemo: interrupted", file=sys.stderr)
        return 130
    else:
        return 0
    finally:
        _finish(options, stage.get("ground"))
        print(f"\n{time.monotonic() - began:.0f} s in all", flush=True)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make demo", description=__doc__)
    parser.add_argument("--keep", action="store_true", help="leave everything running and print the addresses (make demo KEEP=1)")
    parser.add_argument("--cluster", choices=["own", "current"], default="own", help="current: the cluster kubectl points to")
    parser.add_argument("--result", type=Path, help="write what was seen as JSON (for the tests)")
    return parser.parse_args()


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def _told(options: argparse.Namespace, log: Path, stage: dict[str, Ground]) -> None:
    if options.cluster == "current":
        heading(1, "The cluster that kubectl points to")
        stage["ground"] = ground.current(log)
    else:
        heading(1, "A real single-node Kubernetes with prometheus-operator, Prometheus and Alertmanager")
        stage["ground"] = ground.own_node(log)
    story = Story(stage["ground"])
    story.tell()
    if options.result:
        options.result.write_text(json.dumps(story.result, indent=1), encoding="utf-8")


def _finish(options: argparse.Namespace, found: Ground | None) -> None:
    """Leave nothing, or say where everything is."""
    if options.keep and found is not None:
        _addresses(found)
        return
    if options.cluster == "own":
        _taken_down()
    elif found is not None:
        fact("taking away what the demo made")
        for command in (("delete", "namespace", TEAM, "--ignore-not-found"), ("delete", "cllmobs", "fleet", "--ignore-not-found")):
            found.kube.try_run(*command)
        try:
            found.kube.chart("uninstall", "llmobs", "-n", SYSTEM, "--wait")
        except Failed as failed:
            print(f"demo: {failed}", file=sys.stderr)
        found.kube.try_run("delete", "namespace", SYSTEM, "--ignore-not-found")


def _taken_down() -> None:
    """Also after a failure half way through `up`, where there is no ground yet. A second Ctrl-C must not stop it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    try:
        down(settings())
    except Failed as failed:
        print(f"demo: {failed}", file=sys.stderr)


def _addresses(found: Ground) -> None:
    heading(10, "Left running")
    if found.own is not None:
        fact(f"export KUBECONFIG={found.own.kubeconfig}")
        fact(f"export PATH=$PATH:{found.kube.kubectl.parent}")
    fact(f"kubectl -n {found.prometheus.namespace} port-forward service/{found.prometheus.service.partition(':')[0]} 9090")
    fact(f"kubectl -n {found.alertmanager[0]} port-forward service/{found.alertmanager[1].partition(':')[0]} 9093")
    fact("tools/cluster/down   # when you are done")


if __name__ == "__main__":
    sys.exit(main())
