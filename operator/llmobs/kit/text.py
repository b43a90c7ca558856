"""Templates for PromQL and prose, with ``[[ ]]`` as delimiters because ``{{ }}`` belongs to Prometheus and Grafana."""

from __future__ import annotations

from functools import cache
from typing import Any

from jinja2 import Environment, StrictUndefined


@cache
def _environment() -> Environment:
    return Environment(
        variable_start_string="[[",
        variable_end_string="]]",
        block_start_string="[%",
        block_end_string="%]",
        comment_start_string="[#",
        comment_end_string="#]",
        undefined=StrictUndefined,
        autoescape=False,  # noqa: S701 - PromQL and Markdown, never HTML
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=False,
    )


def fill(template: str, **values: Any) -> str:
    """``template`` with ``[[ name ]]`` replaced; an unknown name is an error, never an empty string."""
    return _environment().from_string(template).render(**values)
