"""Python 3.10 and newer; older interpreters find the files and do nothing."""

from __future__ import annotations

from llmobs.catalogue.language import Files, Language

LANGUAGE = Language(
    name="python",
    files=Files(
        init_container="llmobs-python",
        volume="llmobs-python",
        size_limit="128Mi",
        size=16 * 1024 * 1024,
        copy_path="/mnt/llmobs",
        # -f: a restarted pod finds its emptyDir filled, and files that were copied read-only must not stop the second copy.
        command=("cp", "-Rf", "/llmobs/python", "/mnt/llmobs/"),
        image_path="llmobs",
        mount_path="/llmobs",
        variable="PYTHONPATH",
        entry="/llmobs/python",
        separator=":",
    ),
)
