"""A running collector with our pipeline, parts of it, or none of it."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median

from llmobs.plan.inputs import Inputs

from bench.collector.load import SPANS, send
from tests.collector.gateway import Gateway

QUIET = 0.5
"""Seconds after which everything that was sent has left: the barrier waits 0.2 of them."""


class Variant(Gateway):
    """``name`` says which: ``whole``, ``empty``, or the part that is left out, after other words."""

    def __init__(self, otelcol: str, folder: Path, given: Inputs, name: str) -> None:
        place = folder / name.replace(" ", "-")
        place.mkdir()
        super().__init__(otelcol, place, given, readable=False)
        self.rounds: list[float] = []
        """Microseconds of CPU per span."""
        part = name.rpartition(" ")[2]
        pipelines = self.rendered["service"]["pipelines"]
        steps = pipelines["traces/in"]["processors"]
        if part == "empty":
            [out] = [key for key in self.rendered["exporters"] if key.startswith("otlp_http/")]
            pipelines["traces/in"].update(processors=["k8s_attributes", "batch/barrier"], exporters=[out])
            for other in [key for key in pipelines if key != "traces/in"]:
                del pipelines[other]
            self.rendered["connectors"] = {}
        elif part == "series":
            counting = [key for key in self.rendered["connectors"] if key.startswith("signal_to_metrics")]
            pipelines["traces/in"]["exporters"] = [key for key in pipelines["traces/in"]["exporters"] if key not in counting]
            for other in [key for key in pipelines if key.startswith("metrics/")]:
                del pipelines[other]
        elif f"transform/{part}" in steps:
            steps.remove(f"transform/{part}")

    def cpu(self) -> float:
        """Seconds of CPU that the process has used so far."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def memory(self) -> float:
        """Resident memory in MiB."""
        lines = Path(f"/proc/{self.process.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) / 1024

    def serve(self, bodies: Sequence[bytes]) -> None:
        """One round."""
        before = self.cpu()
        send(self.ports["http"], bodies)
        time.sleep(QUIET)
        self.rounds.append((self.cpu() - before) / (SPANS * len(bodies)) * 1e6)

    @property
    def micro(self) -> float:
        """Microseconds of CPU per span: the median of the rounds."""
        return median(self.rounds)
