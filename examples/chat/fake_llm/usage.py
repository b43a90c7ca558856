"""How many tokens a call uses: fixed for each model, or as the request asks with a header."""

from dataclasses import dataclass, fields

HEADER = "X-Fake-Usage"
"""``uncached=60,cache_read=40,output=20``: the figures of this one call; what is not named is 0."""


@dataclass(frozen=True)
class Usage:
    """Tokens of one call. Input is the sum of the first three; reasoning is a part of output, cache_write_1h of cache_write."""

    uncached: int = 0
    cache_read: int = 0
    cache_write: int = 0
    output: int = 0
    reasoning: int = 0
    cache_write_1h: int = 0

    @property
    def input(self) -> int:
        """All input tokens, cached ones included."""
        return self.uncached + self.cache_read + self.cache_write


MODELS = {
    "gpt-4o": Usage(uncached=600, cache_read=400, output=200),
    "gpt-4o-mini": Usage(uncached=2000, output=500),
    "claude-sonnet-4-6": Usage(uncached=100, cache_read=1000, cache_write=200, output=100),
    "text-embedding-3-small": Usage(uncached=800),
}
OTHERS = Usage(uncached=100, output=50)


def usage(model: str, header: str | None) -> Usage:
    """Return the usage of a call; raise ValueError for a header that is not of the form above."""
    if not header:
        return MODELS.get(model, OTHERS)
    figures = {key.strip(): int(value) for key, _, value in (pair.partition("=") for pair in header.split(","))}
    unknown = figures.keys() - {field.name for field in fields(Usage)}
    if unknown:
        raise ValueError(f"{HEADER}: unknown {', '.join(sorted(unknown))}")
    return Usage(**figures)
