"""The commands of this folder: up, down and images. Each answers with an exit status and says on the screen what failed."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

from binaries.failure import Failed, tail
from binaries.places import layout

from cluster import bud, images, monitoring
from cluster.settings import Settings, settings
from cluster.start import up
from cluster.stop import down


def reported(command: Callable[[], int]) -> int:
    """Run a command; a failure is told with the last lines of its log, an interrupt with how to clean up."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what is half made is removed
    try:
        return command()
    except Failed as failed:
        print(f"{failed}", file=sys.stderr)
        if failed.log:
            print(tail(failed.log), file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted; tools/cluster/down removes what is there", file=sys.stderr)
        return 130


def current() -> Settings:
    """The settings for this checkout's binaries."""
    return settings(os.environ, binaries=layout().bin)


def up_command(arguments: list[str] | None = None) -> int:
    """`tools/cluster/up`: build nothing, serve the pause image, start the node, print its kubeconfig."""
    description = "Start a real single-node Kubernetes on this machine (Linux, root). KN names its state's folder."
    argparse.ArgumentParser(prog="tools/cluster/up", description=description).parse_args(arguments)

    def run() -> int:
        images.ensure(["pause"])
        up(current())
        print(f"export KUBECONFIG={current().kubeconfig}")
        return 0

    return reported(run)


def down_command(arguments: list[str] | None = None) -> int:
    """`tools/cluster/down`: undo what `up` did, wherever it got to."""
    description = "Stop the cluster that tools/cluster/up started, and nothing else. Its logs stay in the cache."
    argparse.ArgumentParser(prog="tools/cluster/down", description=description).parse_args(arguments)

    def run() -> int:
        where = settings(os.environ)
        print(f"down; its logs: {where.last_logs}" if down(where) else "no cluster is up", file=sys.stderr)
        return 0

    return reported(run)


def images_command(arguments: list[str] | None = None) -> int:
    """`tools/cluster/images`: make and serve the images, print their names."""
    known = [*images.statics(), "python", "busybox"]
    parser = argparse.ArgumentParser(prog="tools/cluster/images", description=images.__doc__)
    parser.add_argument("name", nargs="*", help=f"only these: {', '.join(known)}")
    wanted = parser.parse_args(arguments).name
    if unknown := set(wanted) - set(known):
        parser.error(f"no image {', '.join(sorted(unknown))}; there are: {', '.join(known)}")

    def run() -> int:
        print("\n".join(images.ensure(wanted or known)))
        return 0

    return reported(run)


def monitoring_command(arguments: list[str] | None = None) -> int:
    """`tools/cluster/monitoring/install`: apply and wait."""
    parser = argparse.ArgumentParser(prog="tools/cluster/monitoring/install", description=monitoring.__doc__)
    default = os.environ.get("KUBECONFIG") or str(settings().kubeconfig)
    parser.add_argument("--kubeconfig", default=default, help="the cluster (default: KUBECONFIG, or the one of tools/cluster/up)")
    parser.add_argument("--print", choices=("definitions", "bundle", "platform"), help="install nothing, print the manifests")
    options = parser.parse_args(arguments)

    def run() -> int:
        if options.print:
            print(getattr(monitoring, options.print)())
        else:
            monitoring.install(Path(options.kubeconfig))
        return 0

    return reported(run)


def build_image_command(arguments: list[str] | None = None) -> int:
    """`tools/cluster/build-image`: a project's Dockerfile, built and served."""
    parser = argparse.ArgumentParser(prog="tools/cluster/build-image", description=bud.__doc__)
    parser.add_argument("context", type=Path, help="the folder that the Dockerfile copies from")
    parser.add_argument("name", help="the image's full name with registry and tag, as pods name it")
    parser.add_argument("--file", default="Dockerfile", help="the Dockerfile below the context (default: %(default)s)")
    parser.add_argument("--target", default="", help="the stage to build (default: the last)")
    parser.add_argument("--build-arg", action="append", default=[], metavar="NAME=VALUE", help="a build argument; may be repeated")
    options = parser.parse_args(arguments)

    def run() -> int:
        values = dict(argument.split("=", 1) for argument in options.build_arg)
        print(bud.build(options.context, options.name, file=options.file, arguments=values, target=options.target))
        return 0

    return reported(run)
