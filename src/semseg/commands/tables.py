"""Tables for people to read in a terminal."""

from collections.abc import Collection, Sequence


def table(heads: Sequence[str], rows: Sequence[Sequence[str]], left: Collection[int] = ()) -> str:
    """Columns under their heads, aligned to the right, but for those at the places `left`."""
    widths = [max(map(len, column)) for column in zip(heads, *rows, strict=True)]

    def line(cells: Sequence[str]) -> str:
        aligned = (
            cell.ljust(width) if place in left else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(cells, widths, strict=True))
        )
        return "  ".join(aligned).rstrip()

    return "\n".join(map(line, (heads, *rows)))


def percentage(part: int, total: int) -> str:
    """`12.3 %`; of nothing, `-`. What is there but less than a tenth of a percent is `< 0.1 %`."""
    if not total:
        return "-"
    if 0 < part < total / 1000:
        return "< 0.1 %"
    return f"{100 * part / total:.1f} %"
