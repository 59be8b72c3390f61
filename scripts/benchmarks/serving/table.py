"""The results as a table in Markdown, and held against what this project promises itself."""

import math
from collections.abc import Iterator, Sequence
from itertools import groupby

from scripts.benchmarks.serving.contenders import CONTENDERS
from scripts.benchmarks.serving.measuring import CLIENTS, PINGING_CLIENTS
from scripts.benchmarks.serving.models import NETWORKS
from scripts.benchmarks.serving.results import Result

_MEASURES = (
    "forward, s",
    "its CPUs",
    "HTTP, s",
    f"images/s, {CLIENTS} clients",
    "MiB, forward and server",
)
_BREAK = "<br>"
_MIB = 1 << 20


def percentile(values: Sequence[float], percent: float) -> float:
    """The value below which, or at which, so many percent of them are: one of them."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(percent / 100 * len(ordered)) - 1)]


def table(results: Sequence[Result]) -> str:
    """A row for each network and size, a column for each contender, so that the eye compares.

    CPUs are those that the forward kept busy: where others took some, there are fewer.
    """
    names = [name for name in CONTENDERS if any(result.contender == name for result in results)]
    rows = [("", "", *names), ("---",) * (len(names) + 2)]
    for (network, height, width), group in groupby(_in_order(results), _cell):
        found = {result.contender: result for result in group}
        where = f"{NETWORKS[network]}, {width}×{height}"
        cells = (_BREAK.join(_figures(found[name])) if name in found else "" for name in names)
        rows.append((where, _BREAK.join(_MEASURES), *cells))
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def promises(results: Sequence[Result]) -> str:
    """What the results say of each promise, cell by cell, as a list."""
    lines = []
    for (network, height, width), group in groupby(_in_order(results), _cell):
        cell = {result.contender: result for result in group}
        where = f"{NETWORKS[network]} {width}×{height}"
        lines += [f"- {where}: {line}" for line in _promises_of(cell)]
    return "\n".join(lines) + "\n"


def _figures(result: Result) -> tuple[str, ...]:
    """Of each measure, in the order of `_MEASURES`."""
    return (
        _seconds(result.forward),
        "-" if result.forward_cpus is None else f"{result.forward_cpus:.1f}",
        _seconds(result.http),
        "-" if result.images_per_second is None else f"{result.images_per_second:.2f}",
        f"{_mebibytes(result.forward_bytes)}, {_mebibytes(result.http_bytes)}",
    )


def _promises_of(cell: dict[str, Result]) -> Iterator[str]:
    medians = {
        name: percentile(result.forward, 50) for name, result in cell.items() if result.forward
    }
    pairs = (
        ("GluonCV, threads set", "this, fp32", 1.0),
        ("this, fp32", "this, int8", 3.5),
        ("ONNX Runtime, fp32", "this, int8", 1.0),
        ("OpenVINO, its default", "this, int8", 1.0),
    )
    for other, ours, wanted in pairs:
        if other in medians and ours in medians:
            times = medians[other] / medians[ours]
            verdict = "" if times >= wanted else ", short of it"
            yield f"{ours} {times:.2f} times as fast as {other} (wanted: {wanted:g}){verdict}"
    for name, result in cell.items():
        if name.startswith("this") and result.http and name in medians:
            added = percentile(result.http, 50) / medians[name] - 1
            verdict = "" if added <= 0.05 else ", too much"
            yield f"HTTP adds {added:+.1%} to {name} (wanted: at most 5 %){verdict}"
        if result.ping:
            p99 = percentile(result.ping, 99)
            verdict = "" if p99 <= 0.1 else ", too late"
            yield (
                f"/ping of {name} with {PINGING_CLIENTS} clients: p50 "
                f"{percentile(result.ping, 50) * 1000:.0f} ms, p99 {p99 * 1000:.0f} ms "
                f"(wanted: at most 100){verdict}"
            )


def _in_order(results: Sequence[Result]) -> list[Result]:
    networks, contenders = list(NETWORKS), list(CONTENDERS)
    return sorted(
        results,
        key=lambda result: (
            networks.index(result.network),
            result.height * result.width,
            contenders.index(result.contender),
        ),
    )


def _cell(result: Result) -> tuple[str, int, int]:
    return result.network, result.height, result.width


def _seconds(values: Sequence[float] | None) -> str:
    if not values:
        return "-"
    return f"{percentile(values, 50):.2f} / {percentile(values, 99):.2f}"


def _mebibytes(value: int | None) -> str:
    return "-" if value is None else f"{value / _MIB:.0f}"
