"""YAML documents as Kubernetes reads them: many in a file, lists unrolled, key order kept, no surprises from YAML 1.1."""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from llmobs.kit.errors import Invalid

SUFFIXES = (".yaml", ".yml", ".json")


@dataclass(frozen=True)
class Document:
    """One object, and where it was read."""

    source: str
    body: dict[str, Any]


def read(path: Path) -> list[Document]:
    """The documents of a file, or of every YAML and JSON file of a folder by name. Raises :class:`Invalid`."""
    try:
        if not path.is_dir():
            return parse(path.read_text(encoding="utf-8"), str(path))
        return [document for file in files(path) for document in read(file)]
    except OSError as error:
        raise Invalid(str(path), f"cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise Invalid(str(path), "is not UTF-8 text; give a YAML or JSON file") from error


def files(folder: Path) -> list[Path]:
    """The YAML and JSON files of a folder by name, without those that begin with a dot."""
    return sorted(item for item in folder.iterdir() if item.suffix in SUFFIXES and not item.name.startswith(".") and item.is_file())


def parse(text: str, source: str) -> list[Document]:
    """The documents of ``text``; empty ones are left out. Raises :class:`Invalid` with line and column."""
    try:
        loaded = list(yaml.load_all(text, Loader=_Loader))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"{source}, line {mark.line + 1}, column {mark.column + 1}" if mark else source
        raise Invalid(where, f"is not YAML: {error.problem or error.context}") from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise Invalid(source, f"is not YAML: {error}") from error
    found = [(index, body) for index, body in enumerate(loaded, start=1) if body is not None]
    named = [(source if len(found) == 1 else f"{source}, document {index}", body) for index, body in found]
    return [document for where, body in named for document in _objects(body, where)]


def dump(bodies: Iterable[Any]) -> str:
    """The bodies as YAML documents, keys in their order, nothing abbreviated by anchors."""
    return yaml.dump_all(bodies, Dumper=_Dumper, sort_keys=False, default_flow_style=False, allow_unicode=True, width=4096)


def _objects(body: Any, where: str) -> Iterator[Document]:
    if not isinstance(body, dict):
        raise Invalid(where, f"must be an object of keys and values, not {body!r:.40}")
    if body.get("kind") != "List" or not isinstance(body.get("items"), list):
        yield Document(where, body)
        return
    for index, item in enumerate(body["items"]):
        yield from _objects(item, f"{where}, items[{index}]")


class _Loader(yaml.SafeLoader):
    """Reads what Kubernetes reads: dates and 12:30 are text, a key may stand only once."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode) and key.tag != "tag:yaml.org,2002:merge":
                if key.value in seen:
                    raise yaml.constructor.ConstructorError(None, None, f"the key {key.value!r} stands twice", key.start_mark)
                seen.add(key.value)
        return super().construct_mapping(node, deep=deep)


_WHOLE = re.compile(r"[-+]?(?:0b[01_]+|0x[0-9a-fA-F_]+|0[0-7_]*|[1-9][0-9_]*)")
_BROKEN = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")
_AMBIGUOUS = {"y", "Y", "n", "N"}
"""Words that other readers of YAML 1.1 take for true and false."""

_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in known if not tag.endswith((":timestamp", ":int", ":float"))]
    for first, known in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver("tag:yaml.org,2002:int", re.compile(f"^(?:{_WHOLE.pattern})$"), list("-+0123456789"))
_Loader.add_implicit_resolver("tag:yaml.org,2002:float", re.compile(f"^(?:{_BROKEN.pattern})$"), list("-+0123456789."))


class _Dumper(yaml.SafeDumper):
    """Writes texts of several lines as such, and every object in full."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 - the signature is the library's
        return True

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002
        return super().increase_indent(flow, False)


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    style = None
    if "\n" in value and not any(line.endswith(" ") for line in value.split("\n")):
        style = "|"
    elif value in _AMBIGUOUS or _WHOLE.fullmatch(value) or _BROKEN.fullmatch(value):
        style = "'"
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)


_Dumper.add_representer(str, _text)
