"""A process that uses no LLM pays next to nothing and shows nothing."""

import json

from tests.runtime.pod import Pod

STATE = """
    import json, sys, threading
    print(json.dumps({
        "modules": sorted(sys.modules),
        "threads": threading.active_count(),
        "path": [entry for entry in sys.path if "bundle" in entry.rpartition("/")[2]],
        "signal": __import__("signal").getsignal(15).name,
    }))
"""


def test_nothing_is_imported(pod: Pod) -> None:
    plain, ours = pod.run(STATE, PYTHONPATH=""), pod.run(STATE)
    assert (ours.status, ours.err) == (0, "")
    before, after = json.loads(plain.out), json.loads(ours.out)
    more = set(after["modules"]) - set(before["modules"])
    own = {"llmobs_runtime", "llmobs_runtime.start", "llmobs_runtime.hook", "llmobs_runtime.libraries"}
    assert more <= {*own, "sitecustomize", "__future__"}
    assert {key: after[key] for key in after if key != "modules"} == {"threads": 1, "path": [], "signal": "SIG_DFL"}
    assert pod.gateway.requests == []


def test_looking_for_a_library_is_not_importing_it(pod: Pod) -> None:
    application = """
        import importlib.util, sys
        spec = importlib.util.find_spec("openai")
        print(type(spec.loader).__name__, "openai" in sys.modules, "llmobs_runtime.activate" in sys.modules)
    """
    assert pod.run(application).out == "SourceFileLoader False False\n"


def test_an_import_that_fails_fails_as_ever(pod: Pod) -> None:
    application = """
        import sys
        class Missing:
            def find_spec(self, name, path=None, target=None):
                if name == "openai":
                    raise ModuleNotFoundError("no openai here", name="openai")
        sys.meta_path.insert(1, Missing())
        try:
            import openai
        except ModuleNotFoundError as error:
            print(error)
        sys.meta_path.pop(1)
        import openai
        print(openai.__name__, type(openai.__loader__).__name__, vars(openai.__loader__).keys() - {"name", "path"})
        openai.OpenAI().embeddings.create(model="text-embedding-3-small", input="x")
    """
    done = pod.run(application)
    assert (done.status, done.out, done.err) == (0, "no openai here\nopenai SourceFileLoader set()\n", "")
    assert len(pod.spans(1)) == 1


def test_a_library_without_a_call_starts_no_thread(pod: Pod) -> None:
    done = pod.run("import openai, anthropic, threading; print(threading.active_count())")
    assert (done.status, done.out, done.err) == (0, "1\n", "")


def test_without_an_endpoint_nothing_happens(pod: Pod) -> None:
    done = pod.run("import openai, sys; print([name for name in sys.modules if name.startswith('llmobs')])", LLMOBS_ENDPOINT="")
    assert (done.status, done.out, done.err) == (0, "['llmobs_runtime', 'llmobs_runtime.start']\n", "")
