"""What is known of the cluster when lists and watches tell of it in any order."""

from typing import Any

from llmobs.handlers.world import Key, World

KIND = "LLMObservability"


def body(name: str, version: int, *, generation: int = 1) -> dict[str, Any]:
    meta = {"name": name, "namespace": "n", "uid": f"u-{name}", "generation": generation, "resourceVersion": str(version)}
    return {"kind": KIND, "metadata": meta}


def names(world: World) -> list[str]:
    return sorted(where.name for where in world.of(KIND))


def test_a_list_forgets_what_is_gone() -> None:
    world = World()
    world.put(body("a", 1))
    world.put(body("b", 2))
    before = world.version
    world.begin()
    world.replace(KIND, [body("b", 2)], at="5")
    assert names(world) == ["b"]
    assert world.version > before


def test_a_list_that_says_nothing_new_changes_nothing() -> None:
    world = World()
    world.put(body("a", 1))
    before = world.version
    world.begin()
    world.replace(KIND, [body("a", 3)], at="5")
    assert world.version == before


def test_what_the_watch_told_while_a_list_was_under_way_stays() -> None:
    world = World()
    world.put(body("old", 1))
    world.put(body("changed", 2))
    world.begin()
    world.put(body("new", 7))
    world.put(body("changed", 8, generation=2))
    world.drop(KIND, body("old", 9))
    world.replace(KIND, [body("old", 1), body("changed", 2)], at="5")
    assert names(world) == ["changed", "new"]
    assert world.of(KIND)[Key("n", "changed")]["metadata"]["generation"] == 2


def test_old_news_is_none() -> None:
    world = World()
    world.put(body("a", 8, generation=2))
    assert not world.put(body("a", 7, generation=1))
    assert world.of(KIND)[Key("n", "a")]["metadata"]["generation"] == 2


def test_a_resource_that_was_made_anew_is_a_change() -> None:
    world = World()
    world.put(body("a", 1))
    again = body("a", 5)
    again["metadata"]["uid"] = "u-again"
    assert world.drop(KIND, body("a", 4))
    assert world.put(again)
