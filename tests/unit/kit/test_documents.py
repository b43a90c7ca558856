"""YAML as Kubernetes reads it, and back without a change of meaning."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from llmobs.kit.documents import dump, parse, read
from llmobs.kit.errors import Invalid


@pytest.mark.parametrize(
    ("text", "want"),
    [
        ("2026-11-21", "2026-11-21"),
        ("12:30", "12:30"),
        ("1:30:20.5", "1:30:20.5"),
        ("1_000", 1000),
        ("0755", 493),
        ("0x1F", 31),
        ("1e3", 1000.0),
        (".5", 0.5),
        ("yes", True),
        ("off", False),
        ("~", None),
        ("1.2.3", "1.2.3"),
        ("100m", "100m"),
    ],
)
def test_plain_words(text: str, want: Any) -> None:
    assert parse(f"value: {text}", "x")[0].body == {"value": want}


AMBIGUOUS = [
    "2026-11-21",
    "12:30",
    "1_000",
    "0755",
    "0o17",
    "1e3",
    ".5",
    "5.",
    "yes",
    "off",
    "y",
    "N",
    "null",
    "~",
    "",
    "true",
    "0x1F",
    ".inf",
    "#",
    "a: b",
    "- a",
]


@pytest.mark.parametrize(
    "word",
    [
        *AMBIGUOUS,
        " x",
        "x ",
        "a\nb",
        "a\nb\n",
        "a \nb",
        "\ta\n b",
        "a\r\nb",
        "\n x",
        "ü\u2028x",
        "{",
        "%",
        "@",
        "`",
        "!x",
        "*x",
        "&x",
        "'",
        '"',
    ],
)
def test_text_stays_text(word: str) -> None:
    written = dump([{"value": word, word or "x": [word]}])

    assert parse(written, "x")[0].body == {"value": word, word or "x": [word]}
    assert yaml.safe_load(written)["value"] == word


def test_order_stays_and_nothing_is_abbreviated() -> None:
    shared = {"z": 1, "a": [1, {"b": 2}]}

    assert dump([{"two": shared, "one": shared}, {"x": {}}]) == (
        "two:\n  z: 1\n  a:\n    - 1\n    - b: 2\none:\n  z: 1\n  a:\n    - 1\n    - b: 2\n---\nx: {}\n"
    )


def test_documents_are_numbered_and_lists_unrolled() -> None:
    found = parse("a: 1\n---\n---\nkind: List\nitems: [{b: 2}, {c: 3}]\n", "file.yaml")

    assert [(item.source, item.body) for item in found] == [
        ("file.yaml, document 1", {"a": 1}),
        ("file.yaml, document 3, items[0]", {"b": 2}),
        ("file.yaml, document 3, items[1]", {"c": 3}),
    ]


def test_a_folder_is_read_by_name(tmp_path: Path) -> None:
    (tmp_path / "b.yml").write_text("b: 1")
    (tmp_path / "a.json").write_text('{"a": 1}')
    (tmp_path / ".hidden.yaml").write_text("x: [")
    (tmp_path / "note.txt").write_text("x: [")

    assert [item.body for item in read(tmp_path)] == [{"a": 1}, {"b": 1}]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"a: [", "is not YAML: expected the node content"),
        (b"a: 1\na: 2", "line 2, column 1: is not YAML: the key 'a' stands twice"),
        (b"a: !!python/object:os.system x", "is not YAML: could not determine a constructor"),
        (b"just text", "must be an object of keys and values, not 'just text'"),
        (b"\xff\xfe\x00", "is not UTF-8 text"),
        (b"kind: List\nitems: [1]", "items[0]: must be an object"),
        (b"a: " + b"[" * 5000, "is not YAML"),
        (b"a: \x01", "is not YAML"),
    ],
)
def test_what_cannot_be_read_is_named(tmp_path: Path, data: bytes, said: str) -> None:
    file = tmp_path / "file.yaml"
    file.write_bytes(data)

    with pytest.raises(Invalid) as caught:
        read(file)

    assert str(caught.value).startswith(str(file))
    assert said in str(caught.value)


def test_merge_keys_and_anchors_are_resolved() -> None:
    assert parse("x: &x {a: 1, b: 2}\ny: {<<: *x, b: 3}", "x")[0].body == {"x": {"a": 1, "b": 2}, "y": {"a": 1, "b": 3}}
