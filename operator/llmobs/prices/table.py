"""The price table: the built-in list, overruled and extended by every LLMPriceList."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from llmobs.api.effective import Identity
from llmobs.api.v1alpha1.pricelist import LLMPriceListSpec
from llmobs.catalogue.metrics import OTHER
from llmobs.kit.errors import Invalid
from llmobs.prices.builtin import builtin
from llmobs.prices.lists import Source, checked, dangling, merged, source
from llmobs.prices.rows import Rank, Row, find, find_anywhere, ranks

__all__ = ["PriceTable", "Row", "table"]


@dataclass(frozen=True)
class PriceTable:
    """Rows by lower-case name as a call may carry it, after the collector's own normalisation or exactly."""

    rows: Mapping[str, Row] = field(default_factory=dict)
    """Name -> row. A name may be qualified as ``provider|name`` for a price of one provider; that row is tried first."""
    refused: Mapping[str, Invalid] = field(default_factory=dict, compare=False)
    """Name of an LLMPriceList -> why nothing of it is in the table."""

    discounts: Mapping[str, float] = field(default_factory=dict)
    """Provider, or none for all others -> the share taken off list prices."""
    until: dt.datetime = field(default=dt.datetime.max.replace(tzinfo=dt.UTC), compare=False)
    """The moment from which another table may count."""

    def canonical(self, name: str) -> str:
        """The label ``model`` that a call naming ``name`` gets; ``other`` when no row matches.

        A name that only one provider has a price for is found too: the model is the same, whoever is asked.
        """
        row = find_anywhere(self.rows, name)
        return row.model if row else OTHER

    def find(self, name: str, provider: str | None = None) -> Row | None:
        """The row that prices a call for ``name`` to ``provider`` (gen_ai.provider.name)."""
        return find(self.rows, name, provider)

    def ranks(self) -> tuple[Rank, ...]:
        """The rows in the groups in which the collector's statements look them up."""
        return ranks(self.rows)


def table(lists: Iterable[tuple[Identity, LLMPriceListSpec]], *, at: dt.datetime | None = None) -> PriceTable:
    """The table as of the moment ``at``; without one, every announced change of a price counts as in force.

    A list that contradicts itself, an older list or the rest of the table is left out as a whole and named in ``refused``, with
    the path of the field; the others keep working. Older means created earlier, then first by name.
    """
    base = builtin(at and at.astimezone(dt.UTC).date())
    accepted: list[Source] = []
    refused: dict[str, Invalid] = {}
    for identity, spec in sorted(lists, key=lambda item: (item[0].created, item[0].name)):
        try:
            accepted.append(checked(source(identity.name, spec), accepted, base))
        except Invalid as finding:
            refused[identity.name] = finding
    # judged by what is announced: an alias may lead to a price that has not begun
    while lost := dangling(merged(base, accepted), accepted):
        refused.update(lost)
        accepted = [item for item in accepted if item.name not in lost]
    rows = merged(base, [item.at(at) for item in accepted])
    discounts = {provider: share for item in accepted for provider, (_, share) in sorted(item.discounts.items())}
    return PriceTable(rows, refused, discounts, _until(accepted, at))


def _until(accepted: list[Source], at: dt.datetime | None) -> dt.datetime:
    """The next beginning of a price; list prices change at midnight, UTC."""
    if at is None:
        return dt.datetime.max.replace(tzinfo=dt.UTC)
    midnight = at.astimezone(dt.UTC).replace(hour=0, minute=0, second=0, microsecond=0) + dt.timedelta(days=1)
    starts = {start for item in accepted for prices in item.history.values() for start in prices}
    return min([midnight, *(start for start in starts if start > at)])
