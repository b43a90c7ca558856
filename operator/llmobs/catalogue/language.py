"""The contract of a language: one module in ``languages/`` that says what instrumenting a container means, as plain data.

A module offers ``LANGUAGE``. Its name is also the name of its image in the settings.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Files:
    """How the files of a language reach a container, and the variable that makes its interpreter find them."""

    init_container: str
    """Name of the init container that copies the files; a pod that has one of this name has the files."""
    volume: str
    """Name of the volume that holds the files: the emptyDir that they are copied into, or their image."""
    size_limit: str
    """Limit of that emptyDir, well above the size of the files."""
    size: int
    """What the files take on a node at most, in bytes."""
    copy_path: str
    """Where the init container sees the volume; not where its image keeps the files."""
    command: tuple[str, ...]
    """What the init container runs: without a shell, and twice in a row without harm."""
    image_path: str
    """The folder of the image that is mounted where the image is the volume, relative to the image's root."""
    mount_path: str
    """Where instrumented containers see the volume, read-only."""
    variable: str
    """The variable that lists where the interpreter looks; ours is its last entry."""
    entry: str
    """Our entry."""
    separator: str
    """What stands between entries."""

    def joined(self, value: str) -> str:
        """``value`` with our entry last: the user's come first, and an empty value means none, as it does to the interpreter."""
        return f"{value}{self.separator}{self.entry}" if value else self.entry

    def leading(self, value: str) -> str:
        """``value`` with our entry first, once: where another agent's would otherwise keep the interpreter from finding ours."""
        others = [item for item in value.split(self.separator) if item != self.entry] if value else []
        return self.separator.join([self.entry, *others])


@dataclass(frozen=True, kw_only=True)
class Language:
    """A language: by files of ours, or by OpenTelemetry's own variables for an application that brings its SDK."""

    name: str
    """Name of the language; where it has files, of its image in the settings too."""
    files: Files | None = None
    """What is copied into the pod; none where the application needs nothing of ours."""
    own_sdk: bool = False
    """Whether OpenTelemetry's variables are set, where the container sets none of them."""
