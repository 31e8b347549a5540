"""`python -m bench [names] [--quick]`: measures what is promised to be fast. bench/README.md says what each figure is."""

import argparse
import logging
import os
import sys
import warnings
from contextlib import ExitStack
from importlib import import_module
from pathlib import Path

import django
import orjson
from django.conf import settings

from bench.measuring import Result
from core.embedded import EnvironmentProblem, running

SCRIPTS = [
    "lists", "search", "single", "catalog", "old_items", "bulk", "writes", "limits", "stock", "reserving", "counting",
    "valuation", "recall", "analytics", "reorder", "forecasts", "orders", "prices", "fitment", "clerk", "wall", "audit", "events",
    "webhooks", "jobs", "startup", "cold_start",
]
# The size does not matter.
ONCE = {"startup", "cold_start", "reserving", "counting", "limits", "audit", "events", "webhooks", "jobs"}
SIZES, QUICK = [10_000, 1_000_000], [10_000]
RESULTS = Path(__file__).parent / "results"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench", description="Measure what is promised to be fast.")
    parser.add_argument("names", nargs="*", metavar="name", help=f"which of {', '.join(SCRIPTS)}; without any, all")
    parser.add_argument("--quick", action="store_true", help="with 10,000 products only, not 1,000,000 as well")
    parser.add_argument("--size", type=int, help="with so many products, 10,000 at least, in the place of these two sizes")
    options = parser.parse_args()
    if options.size is not None and options.size < QUICK[0]:
        parser.error(f"the least size is {QUICK[0]:,}")
    if unknown := set(options.names) - set(SCRIPTS):
        parser.error(f"there is no {', '.join(sorted(unknown))}: choose of {', '.join(SCRIPTS)}")

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.local")
    warnings.filterwarnings("ignore", message="No directory at")  # of static files, which nobody asks for here
    django.setup()
    logging.getLogger("core.requests").setLevel(logging.WARNING)  # a line for each would be in the figures' way
    settings.RATE_LIMITS = dict.fromkeys(settings.RATE_LIMITS, 100_000_000)  # the limits count, and refuse nobody
    with ExitStack() as stack:
        if data := getattr(settings, "EMBEDDED_DATABASE", None):
            stack.enter_context(running(data))
        sizes = [options.size] if options.size else QUICK if options.quick else SIZES
        results = measure(options.names or SCRIPTS, sizes)
    missed = [result for result in results if not result.is_met]
    print(f"\n{len(results)} figures in {RESULTS}; " + (f"{len(missed)} targets missed." if missed else "every target met."))
    return 0


def measure(names: list[str], sizes: list[int]) -> list[Result]:
    from bench.database import use  # noqa: PLC0415  # needs Django set up

    found: dict[str, list[Result]] = {name: [] for name in names}
    for size in sizes:
        use(size)
        print(f"{'':<68}{'products':>10}{'ours ms':>10}{'floor ms':>10}{'ratio':>7}{'SQL':>5}  target")
        for name in names:
            if name in ONCE and size != sizes[0]:
                continue
            for result in import_module(f"bench.{name}").run(size):
                found[name].append(result)
                print(line(result), flush=True)
    RESULTS.mkdir(exist_ok=True)
    for name, results in found.items():
        (RESULTS / f"{name}.json").write_bytes(orjson.dumps([result.as_json() for result in results], option=orjson.OPT_INDENT_2))
    return [result for results in found.values() for result in results]


def line(result: Result) -> str:
    floor = f"{result.floor:.3f}" if result.floor else ""
    ratio = f"{result.ratio:.2f}" if result.ratio else ""
    sent = "" if result.statements is None else str(result.statements)
    target = ""
    if result.target:
        what, most = result.target
        unit = {"ratio": "x", "ours": "ms", "statements": "SQL"}[what]
        target = f"{'met' if result.is_met else 'MISSED'}: <= {most:g} {unit}"
    return f"{result.name:<68}{result.size:>10,}{result.ours:>10.3f}{floor:>10}{ratio:>7}{sent:>5}  {target}"


if __name__ == "__main__":
    try:
        sys.exit(main())
    except EnvironmentProblem as problem:
        sys.exit(str(problem))
