"""The checks of a pod as match conditions: under the same names, in the same order, with the same verdicts."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from llmobs.api import names
from llmobs.inject import agents
from llmobs.inject.checks import ANNOTATIONS as MOST_ANNOTATIONS
from llmobs.inject.checks import MIRROR, SYSTEM_LABELS
from llmobs.inject.compiled import CompiledPolicy
from llmobs.inject.identity import ANNOTATION
from llmobs.inject.limits import LARGEST, MOST, PLAIN
from llmobs.inject.native.cel import ANNOTATIONS, CONTAINERS, GIVEN, INIT_CONTAINERS, VOLUMES, every, some, text, texts
from llmobs.inject.native.given import first

_OWNERS = "object.metadata.?ownerReferences.orValue([])"
_TERMS = "object.spec.?affinity.?nodeAffinity.?requiredDuringSchedulingIgnoredDuringExecution.?nodeSelectorTerms.orValue([])"


_LEFT = f"!(c.name in {GIVEN}.exclude.split(','))"
APP = every(f"{GIVEN}.include == '' || c.name in {GIVEN}.include.split(',')", _LEFT)
"""Whether the policy is for the app container ``c``."""
INIT = every(f"c.name in {GIVEN}.include.split(',')", _LEFT)
"""Whether the policy is for the init container ``c``."""
TARGETS = f"({CONTAINERS}.filter(c, {APP}) + {INIT_CONTAINERS}.filter(c, {INIT}))"
"""The list of the containers to instrument."""


def present(policy: CompiledPolicy) -> str:
    """Whether the pod has the files of a language already."""
    volumes = texts(sorted(policy.volumes))
    return f"{VOLUMES}.exists(v, v.name in {volumes} && has(v.image))"


def _mirror(_: CompiledPolicy) -> str:
    return every(f"!({text(MIRROR)} in {ANNOTATIONS})", f"!{_OWNERS}.exists(o, o.kind == 'Node')")


def _rolled_back(_: CompiledPolicy) -> str:
    return f"!({text(names.ROLLED_BACK)} in {ANNOTATIONS})"


def _host_network(_: CompiledPolicy) -> str:
    return "!object.spec.?hostNetwork.orValue(false)"


def _windows(_: CompiledPolicy) -> str:
    labels = texts(SYSTEM_LABELS)
    selected = [f"object.spec.?nodeSelector[?{text(label)}].orValue('') != 'windows'" for label in SYSTEM_LABELS]
    only = f"x.key in {labels} && x.operator == 'In' && x.?values.orValue([]) == ['windows']"
    terms = f"{_TERMS}.size() == 0 || !{_TERMS}.all(t, t.?matchExpressions.orValue([]).exists(x, {only}))"
    return every("object.spec.?os.?name.orValue('') != 'windows'", *selected, terms)


def _other_agent(policy: CompiledPolicy) -> str:
    starts = (f"c.name.startsWith({text(start)})" for start in agents.INIT_PREFIXES)
    brought = f"{INIT_CONTAINERS}.exists(c, {some(f'c.name in {texts(agents.INIT_CONTAINERS)}', *starts)})"
    mounted = f"{VOLUMES}.exists(v, v.name in {texts(agents.VOLUMES)})"
    keys = some(f"k in {texts(agents.ANNOTATIONS)}", f"k.matches({text(f'^(?:{agents.FOR_ONE_CONTAINER})$')})")
    said = f"{ANNOTATIONS}[k] != '' || !(k in {texts(agents.AROUND)})"
    asked = f"{ANNOTATIONS}.exists(k, ({keys}) && {ANNOTATIONS}[k].lowerAscii() != 'false' && ({said}))"
    files = f"e.name == 'PYTHONPATH' && e.?value.orValue('').contains({text(agents.ODIGOS_FILES)})"
    python = f"e.name == {text(agents.ODIGOS_DISTRIBUTION)} && e.?value.orValue('').startsWith('python')"
    variables = f"{CONTAINERS}.exists(c, c.?env.orValue([]).exists(e, {some(python, files)}))"
    # with our files in place this is a second pass: what came between does not undo the first
    return some(present(policy), f"!({some(brought, mounted, asked, variables)})")


def _containers(_: CompiledPolicy) -> str:
    return f"{TARGETS}.size() > 0"


def _names(policy: CompiledPolicy) -> str:
    made: list[str] = []
    for item in policy.deliveries:
        files, path = item.files, text(item.files.mount_path)
        near = f"p == {path} || p.startsWith({text(files.mount_path + '/')})"
        mounts = f"c.?volumeMounts.orValue([]).exists(m, m.name != {text(files.volume)} && [m.mountPath].exists(p, {near}))"
        devices = f"c.?volumeDevices.orValue([]).exists(d, [d.devicePath].exists(p, {near}))"
        made += [
            f"!{VOLUMES}.exists(v, v.name == {text(files.volume)} && !has(v.image))",
            f"!{CONTAINERS}.exists(c, c.name == {text(files.init_container)})",
            f"!{TARGETS}.exists(c, {some(mounts, devices)})",
        ]
    return every(*made)


def _marked(policy: CompiledPolicy) -> str:
    ours = sum(len(key) for key in policy.marks_of) + len(policy.annotations[names.INJECTION])
    total = f"{ANNOTATIONS}.map(k, size(bytes(k)) + size(bytes({ANNOTATIONS}[k]))).sum()"
    added = f"({text(names.INJECTION)} in {ANNOTATIONS}) ? 0 : {ours} + size({GIVEN}.policy) + size({GIVEN}.revision)"
    return f"{total} + ({added}) <= {MOST_ANNOTATIONS}"


def _usual(policy: CompiledPolicy) -> str:
    found = TARGETS
    helpers = texts(sorted(policy.own))
    every_container = f"({CONTAINERS} + {INIT_CONTAINERS})"
    words = "(c.?command.orValue([]) + c.?args.orValue([])).map(w, size(w)).sum()"
    variables = "c.?env.orValue([]).map(e, size(e.name) + size(e.?value.orValue(''))).sum()"
    listed = [
        f"{found}.all(c, c.?env.orValue([]).filter(e, e.name == {text(name)}).size() < 2"
        f" && !c.?env.orValue([]).exists(e, e.name == {text(name)} && has(e.valueFrom)))"
        for name in sorted(policy.lists)
    ]
    return every(
        f"!{ANNOTATIONS}.exists(k, k.startsWith({text(ANNOTATION)}) && {ANNOTATIONS}[k] != '')",
        f"!{every_container}.exists(c, c.name in {helpers})" if policy.own else "",
        f"{every_container}.size() <= {MOST}",
        f"{every_container}.map(c, {variables} + {words}).sum() <= {LARGEST}",
        f"{found}.all(c, c.?image.orValue('').matches({text(PLAIN)}))",
        *listed,
    )


def _first(_: CompiledPolicy) -> str:
    return first()


EXPRESSIONS: Mapping[str, Callable[[CompiledPolicy], str]] = {
    "not a static pod": _mirror,
    "not rolled back": _rolled_back,
    "a network of its own": _host_network,
    "runs on Linux": _windows,
    "no other agent": _other_agent,
    "a container to instrument": _containers,
    "our names are free": _names,
    "room for our annotations": _marked,
    "nothing that only the webhook can deal with": _usual,
}
"""Expressions that hold where the check of that name passes. That of labels is part of what a binding matches and of the mutation; the
others can't fail for a policy that can be expressed."""


def conditions(policy: CompiledPolicy) -> list[dict[str, str]]:
    """``matchConditions`` of a policy, with the words of :mod:`~llmobs.inject.native.given` in them."""
    found = {"no better policy": _first, **EXPRESSIONS}
    return [{"name": name.replace(" ", "-"), "expression": made(policy)} for name, made in found.items()]
