"""Print every bar with its ratio, and write them to var/bench.json."""

import gc
import json
import sys
from collections.abc import Iterator

from core.settings import HOME
from tests.bench import billing, booking, browser, calendar, closing, databases, insight, lists, series, slots
from tests.bench.timing import Bar


def main(wanted: list[str]) -> int:
    """Measure all, or only the engines named."""
    gc.collect()
    gc.freeze()  # as the portal does when it starts
    found: list[Bar] = []
    makers = {"sqlite": databases.sqlite, "postgresql": databases.postgresql}
    for name in wanted or list(makers):
        make = makers[name]
        million, tenth = make(databases.MILLION), make(databases.TENTH)
        for bars in (
            lists.bars(million, tenth), slots.bars(million), booking.bars(million), insight.bars(million),
            browser.bars(million), calendar.bars(million), series.bars(million), billing.bars(million),
            closing.bars(million),
        ):
            found += _shown(bars)
    target = HOME / "var" / "bench.json"
    target.parent.mkdir(exist_ok=True)
    target.write_text(json.dumps([bar.stored() for bar in found], indent=1) + "\n")
    print(f"\n{sum(bar.kept for bar in found)} of {len(found)} bars kept; written to {target.relative_to(HOME)}.")
    return 0 if all(bar.kept for bar in found) else 1


def _shown(bars: Iterator[Bar]) -> list[Bar]:
    listed = []
    for bar in bars:
        print(bar.line(), flush=True)
        listed.append(bar)
    return listed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
