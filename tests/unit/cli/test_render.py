"""`llmobs render`: what would exist, from files; taken by the tools that read it; refused with the file and the path."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
import yaml
from binaries.places import layout
from llmobs.__main__ import main

ROOT = Path(__file__).resolve().parents[3]
EXAMPLES = str(ROOT / "examples" / "policies")


def printed(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(["render", *arguments]) == 0
    return capsys.readouterr().out


def test_every_object_of_the_examples(capsys: pytest.CaptureFixture[str]) -> None:
    found = [(item["kind"], item["metadata"].get("namespace")) for item in yaml.safe_load_all(printed(capsys, "-f", EXAMPLES))]

    assert ("Deployment", "llmobs-system") in found
    assert ("PrometheusRule", "team-chat") in found
    assert ("ConfigMap", "team-chat") in found
    assert len(found) == len(set(map(str, found))) + 1  # two ConfigMaps of the operator's namespace: configuration and dashboard


def test_one_file_per_object(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["render", "-f", EXAMPLES, "-o", str(tmp_path / "out")]) == 0
    capsys.readouterr()
    files = sorted(path.name for path in (tmp_path / "out").iterdir())

    assert "team-chat_prometheusrule_llmobs-chat.yaml" in files
    assert len(files) == len(list(yaml.safe_load_all(printed(capsys, "-f", EXAMPLES))))


def test_only_dashboards(capsys: pytest.CaptureFixture[str]) -> None:
    kinds = {item["kind"] for item in yaml.safe_load_all(printed(capsys, "-f", EXAMPLES, "--only", "dashboards"))}

    assert kinds == {"ConfigMap"}


@pytest.mark.collector
def test_the_real_collector_takes_the_configuration(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(printed(capsys, "-f", EXAMPLES, "--only", "collector"))
    done = subprocess.run([layout().binary("otelcol"), "validate", f"--config={path}"], capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr


@pytest.mark.promtool
def test_the_real_promtool_takes_the_rules(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "rules.yaml"
    path.write_text(printed(capsys, "-f", EXAMPLES, "--only", "rules"))
    done = subprocess.run([layout().binary("promtool"), "check", "rules", path], capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout + done.stderr


POLICY = "apiVersion: llmobs.dev/v1alpha1\nkind: LLMObservability\nmetadata: {name: x}\nspec: "
REFUSED = {
    "a rule broken": (
        f"{POLICY}{{budgets: [{{name: a, limitUSD: -1}}]}}",
        "LLMObservability x: spec.budgets[0].limitUSD: must be more than 0",
    ),
    "an alert nobody knows": (f"{POLICY}{{alerts: {{disabled: [LLMBudgetExhaustd]}}}}", "did you mean LLMBudgetExhausted?"),
    "a destination nobody offers": (f"{POLICY}{{backends: [{{name: a, destination: b}}]}}", "it may use: none"),
    "a wrong version": ("apiVersion: llmobs.dev/v1\nkind: LLMObservability\nmetadata: {name: x}", "must be llmobs.dev/v1alpha1"),
    "nothing of ours": ("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}", "holds no LLMObservability"),
    "two of one name": (f"{POLICY}{{}}\n---\n{POLICY}{{}}", "is given twice"),
    "no YAML": ("a: [", "is not YAML"),
    "an alias to nothing": (
        "apiVersion: llmobs.dev/v1alpha1\nkind: LLMPriceList\nmetadata: {name: p}\nspec: {aliases: [{from: a, to: acme-unknown}]}",
        "has no price",
    ),
}


@pytest.mark.parametrize(("text", "said"), REFUSED.values(), ids=REFUSED.keys())
def test_bad_input_is_refused(text: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "in.yaml"
    path.write_text(text)

    assert main(["render", "-f", str(path)]) == 2

    streams = capsys.readouterr()
    assert streams.out == ""
    assert said in streams.err


def test_help_speaks_to_a_newcomer(capsys: pytest.CaptureFixture[str]) -> None:
    for command in ([], ["render"], ["inject"], ["run"], ["webhook"], ["generate"]):
        with pytest.raises(SystemExit) as ended:
            main([*command, "--help"])
        assert ended.value.code == 0
        assert "usage: llmobs" in capsys.readouterr().out
