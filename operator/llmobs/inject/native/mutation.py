"""What a policy does to a pod, as one expression that yields a JSON patch: whole or not at all, and nothing on a second pass."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from llmobs.api import names
from llmobs.api.v1alpha1.injection import InjectionMode
from llmobs.catalogue.language import Files
from llmobs.inject import agents
from llmobs.inject.compiled import RESOURCE_ATTRIBUTES, CompiledPolicy
from llmobs.inject.identity import EARLIEST_MINUTE, HASH_LABEL, NODE_NAME, POD_NAME, POD_UID, WORKLOADS
from llmobs.inject.native.cel import (
    ANNOTATIONS,
    CONTAINERS,
    GIVEN,
    INIT_CONTAINERS,
    LABELS,
    VOLUMES,
    every,
    literal,
    some,
    text,
    texts,
)
from llmobs.inject.native.conditions import APP, INIT, present
from llmobs.inject.patch import pointer

_SILENT = "-"
"""Stands for a label that is not there: no label can have this value."""


def variables() -> list[dict[str, str]]:
    """``variables`` of the policy, in the order in which they refer to one another; each costs an API server 0.2 MB."""
    found = {"about": _about(), "targets": _targets()}
    return [{"name": name, "expression": expression} for name, expression in found.items()]


def _plain(value: msgspec.Raw) -> Any:
    return msgspec.json.decode(value)


def _wanted() -> str:
    key = text(names.INJECT)
    around = f"namespaceObject.metadata.?labels.orValue({{}})[?{key}].orValue({text(_SILENT)})"
    word = f"{LABELS}[?{key}].orValue({around}).lowerAscii()"
    return f"{word} == 'true' || {word} == {text(_SILENT)} && {GIVEN}.mode != {text(InjectionMode.OPT_IN.value)}"


def _asked_around(policy: CompiledPolicy) -> str:
    """Whether the namespace asks another agent for the pod; here, since match conditions know nothing of it."""
    words = (
        f"{ANNOTATIONS}[?{text(key)}].orValue('') == ''"
        f" && !(namespaceObject.metadata.?annotations.orValue({{}})[?{text(key)}].orValue('').lowerAscii() in ['', 'false'])"
        for key in agents.AROUND
    )
    return every(some(*words), f"!({present(policy)})")


_OWNERS = (
    "object.metadata.?ownerReferences.orValue([])"
    f".filter(o, o.?controller.orValue(false) && o.kind in {texts(WORKLOADS)}).map(o, {{'kind': o.kind, 'name': o.name}})"
)


def _workload() -> str:
    """Kind and name of what is behind the pod, as a list of none or one."""
    end = f"'-' + {LABELS}[?{text(HASH_LABEL)}].orValue('')"
    deployed = f"size({end}) > 1 && o.name.endsWith({end})"
    deployment = f"{{'kind': 'Deployment', 'name': o.name.substring(0, size(o.name) - size({end}))}}"
    minute = "int(o.name.substring(size(o.name) - 8))"
    scheduled = f"o.name.matches('^.+-[0-9]{{8}}$') && {minute} >= {EARLIEST_MINUTE}"
    cron = "{'kind': 'CronJob', 'name': o.name.substring(0, size(o.name) - 9)}"
    replicas = f"o.kind == 'ReplicaSet' ? ({deployed} ? {deployment} : o)"
    return f"{_OWNERS}.map(o, {replicas} : o.kind == 'Job' ? ({scheduled} ? {cron} : o) : o)"


def _about() -> str:
    """The resource attributes that are the same for all containers."""
    fixed = {
        "k8s.pod.name": f"$({POD_NAME})",
        "k8s.pod.uid": f"$({POD_UID})",
        "k8s.node.name": f"$({NODE_NAME})",
    }
    around = "',service.namespace=' + request.namespace + ',k8s.namespace.name=' + request.namespace"
    listed = "".join(f",{key}={value}" for key, value in fixed.items())
    instance, name = (f"{LABELS}[?'app.kubernetes.io/{key}'].orValue('')" for key in ("instance", "name"))
    service = f"{instance} != '' ? {instance} : {name} != '' ? {name} : w.size() > 0 ? w[0].name : {text(f'$({POD_NAME})')}"
    behind = f"w.size() == 0 ? '' : ',' + string({literal(dict(WORKLOADS))}[w[0].kind]) + '=' + w[0].name"
    return f"[{_workload()}].map(w, 'service.name=' + ({service}) + {around} + {text(listed)} + ({behind}))[0]"


def _targets() -> str:
    """For each container to instrument: where it is, itself, the names of its variables, and its resource attributes."""
    return " + ".join(
        f"{containers}.transformList(i, c, {chosen}, {{"
        f"'at': dyn({text(path)} + string(i)), 'c': dyn(c), 'names': dyn(c.?env.orValue([]).map(e, e.name)),"
        f" 'attributes': dyn({_attributes()})}})"
        for containers, path, chosen in ((CONTAINERS, "/spec/containers/", APP), (INIT_CONTAINERS, "/spec/initContainers/", INIT))
    )


def _attributes() -> str:
    version = f"{LABELS}[?'app.kubernetes.io/version'].orValue('')"
    # of registry:5000/app:1.2@sha256:0a the tag is behind the first colon of what is behind the last slash before the @
    rest = "c.?image.orValue('').split('@', 2)[0]"
    last = f"{rest}.substring({rest}.lastIndexOf('/') + 1)"
    tag = f"({last}.contains(':') ? {last}.substring({last}.indexOf(':') + 1) : '')"
    digest = "(c.?image.orValue('').contains('@') ? c.?image.orValue('').split('@', 2)[1] : '')"
    image = f"({tag} != '' && {digest} != '' ? {tag} + '@' + {digest} : {digest} != '' ? {digest} : {tag})"
    found = f"[{version} != '' ? {version} : {image}]"
    escaped = "v.replace(':', '%3A').replace('@', '%40').replace('/', '%2F')"
    said = f"{found}.map(v, v == '' ? '' : ',service.version=' + {escaped})[0]"
    own = f"',service.instance.id=' + request.namespace + {text(f'.$({POD_NAME}).')}"
    return f"variables.about + {own} + c.name + ',k8s.container.name=' + c.name + {said} + {GIVEN}.attributes"


def patch(policy: CompiledPolicy) -> str:
    """The JSON patch that adds what is missing.

    One mutation: of several, the first would stay where the second fails.
    """
    marks = {
        names.POLICY: f"{GIVEN}.policy",
        names.POLICY_REVISION: f"{GIVEN}.revision",
        names.INJECTION: text(policy.annotations[names.INJECTION]),
    }
    parts = (
        _containers(policy),
        _volumes(policy),
        _pull_secrets(policy),
        _marks("labels", LABELS, {names.INJECTED: "'true'"}),
        _marks("annotations", ANNOTATIONS, marks, kept=present(policy)),
    )
    return f"!({_wanted()}) || {_asked_around(policy)} ? [] : ({' + '.join(part for part in parts if part)})"


def _containers(policy: CompiledPolicy) -> str:
    lists = [{"name": name, "value": value} for name, value in policy.lists.items()]
    before, after = list(map(_plain, policy.variables.values())), [*map(_plain, policy.extra.values()), *lists]
    attributes = f"dyn({{'name': dyn({text(RESOURCE_ATTRIBUTES)}), 'value': dyn(t.attributes)}})"
    entries = f"({literal(before)} + [{attributes}] + {literal(after)})"
    new = f"{entries}.filter(e, !(e.name in t.names))"
    mounts = f"{literal([_plain(item.mount) for item in policy.deliveries])}.filter(m, {_unmounted('t.c')})"
    parts = [_extended(item.files) for item in policy.deliveries]
    parts += [_appended("t.at + '/env'", new, "has(t.c.env)"), _appended("t.at + '/volumeMounts'", mounts, "has(t.c.volumeMounts)")]
    return f"variables.targets.map(t, {' + '.join(parts)}).flatten()"


def _unmounted(container: str) -> str:
    return f"!{container}.?volumeMounts.orValue([]).exists(o, o.name == m.name && o.mountPath == m.mountPath)"


def _extended(files: Files) -> str:
    """Our entry, last in a list of paths that the container sets."""
    variable, entry = text(files.variable), text(files.entry)
    value = f"t.c.env.filter(e, e.name == {variable})[0].?value.orValue('')"
    joined = f"(v == '' ? {entry} : v + {text(files.separator + files.entry)})"
    place = f"t.at + '/env/' + string(t.names.indexOf({variable})) + '/value'"
    there = f"[{value}].filter(v, !({entry} in v.split({text(files.separator)})))"
    made = f"{there}.map(v, JSONPatch{{op: 'add', path: {place}, value: {joined}}})"
    return f"({variable} in t.names ? {made} : [])"


def _appended(path: str, items: str, there: str) -> str:
    """``items`` behind those of a list; where it is not there, they make it."""
    each = f"{items}.map(x, JSONPatch{{op: 'add', path: {path} + '/-', value: x}})"
    whole = f"[{items}].filter(x, x.size() > 0).map(x, JSONPatch{{op: 'add', path: {path}, value: x}})"
    return f"({there} ? {each} : {whole})"


def _volumes(policy: CompiledPolicy) -> str:
    new = f"{literal([_plain(item.volume) for item in policy.deliveries])}.filter(x, !{VOLUMES}.exists(v, v.name == x.name))"
    return _appended("'/spec/volumes'", new, "has(object.spec.volumes)") if policy.deliveries else ""


def _pull_secrets(policy: CompiledPolicy) -> str:
    if not policy.pull_secrets:
        return ""
    known = "object.spec.?imagePullSecrets.orValue([])"
    new = f"{literal([{'name': name} for name in policy.pull_secrets])}.filter(x, !{known}.exists(s, s.?name.orValue('') == x.name))"
    return _appended("'/spec/imagePullSecrets'", new, "has(object.spec.imagePullSecrets)")


def _marks(field: str, own: str, wanted: Mapping[str, str], *, kept: str = "") -> str:
    """Labels or annotations, by expression, that are not as wanted; where ``kept`` holds, only those that are missing."""
    made = []
    for key, value in wanted.items():
        operation = f"JSONPatch{{op: 'add', path: {text(pointer('metadata', field, key))}, value: {value}}}"
        differs = f"{own}[?{text(key)}] != optional.of({value})"
        made.append(f"({every(differs, *([f'!({kept}) || !({text(key)} in {own})'] if kept else []))} ? [{operation}] : [])")
    whole = "{" + ", ".join(f"{text(key)}: dyn({value})" for key, value in wanted.items()) + "}"
    absent = f"[JSONPatch{{op: 'add', path: '/metadata/{field}', value: {whole}}}]"
    return f"(has(object.metadata.{field}) ? {' + '.join(made)} : {absent})"
