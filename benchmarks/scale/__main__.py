"""Print the tables; or measure the costs again, or hold predictions to runs."""

from __future__ import annotations

from pathlib import Path

from benchmarks.figures import parser_of, recording

from .costs import MEASURED, load
from .model import Site
from .table import table

_GBIT = 125e6


def main() -> None:
    parser = parser_of(__doc__)
    site = Site()
    parser.add_argument("--slide-gb", type=float, default=site.slide / 1e9, help="the size of a slide")
    parser.add_argument("--outputs-mb", type=float, default=site.outputs / 1e6, help="of one slide")
    parser.add_argument("--link-gbit", type=float, default=site.link / _GBIT, help="of one worker")
    parser.add_argument("--uplink-gbit", type=float, default=site.uplink / _GBIT, help="of the whole site")
    parser.add_argument("--cores", type=int, default=site.cores, help="of one worker")
    parser.add_argument("--costs", type=Path, default=MEASURED, help="a file that --measure has written")
    parser.add_argument("--measure", type=Path, metavar="FILE", help="run small jobs, write their costs")
    parser.add_argument("--check", action="store_true", help="predict two runs, and run them; some minutes")
    given = parser.parse_args()
    if given.measure:
        from .measure import measure

        measure().save(given.measure)
        return
    costs = load(given.costs)
    if given.check:
        from .check import check

        with recording("scale", given.json) as results:
            check(results, costs)
        return
    chosen = Site(
        slide=given.slide_gb * 1e9,
        outputs=given.outputs_mb * 1e6,
        link=given.link_gbit * _GBIT,
        uplink=given.uplink_gbit * _GBIT,
        cores=given.cores,
    )
    print("\n".join(table(chosen, costs)))


if __name__ == "__main__":
    main()
