"""From an Accept header to an encoder (RFC 9110, section 12.5.1)."""

import re
from dataclasses import dataclass

from semseg.serving.encoders import ENCODERS, Encoder
from semseg.serving.refusal import Refusal

_NOT_OFFERED = "None of the accepted media types is offered here; offered are {}.".format(
    ", ".join(encoder.media_type for encoder in ENCODERS)
)


@dataclass(frozen=True)
class _Range:
    """One media range of the header: `image/png`, `image/*` or `*/*`."""

    main: str
    sub: str
    quality: float

    @property
    def specificity(self) -> int:
        return (self.main != "*") + (self.sub != "*")

    def covers(self, media_type: str) -> bool:
        main, _, sub = media_type.partition("/")
        return self.main in ("*", main) and self.sub in ("*", sub)


def choose(accept: str | None) -> Encoder:
    """The encoder that an Accept header asks for.

    Absent, empty and `*/*` mean the RecordIO record: what clients of the original decode who send
    no header. The highest quality wins, among equals what is named in full, then what is named
    first. Parameters other than `q` do not matter; what is malformed is passed over.

    Raises:
        Refusal: 406, naming what is offered.
    """
    if not accept or not accept.strip(" \t,"):
        return ENCODERS[0]
    ranges = _ranges(accept)
    candidates = []
    for place, encoder in enumerate(ENCODERS):
        matches = [
            (-media_range.specificity, order, media_range.quality)
            for order, media_range in enumerate(ranges)
            if media_range.covers(encoder.media_type)
        ]
        if matches:
            vagueness, order, quality = min(matches)  # the most specific range decides
            if quality > 0:
                candidates.append((-quality, vagueness, order, place))
    if not candidates:
        raise Refusal(406, _NOT_OFFERED)
    return ENCODERS[min(candidates)[-1]]


def _ranges(accept: str) -> list[_Range]:
    """What is well-formed in the header, in its order."""
    ranges = []
    for item in _split(accept, ","):
        name, *parameters = _split(item, ";") or [""]
        # Java's own default header has a lone `*`, meaning `*/*`, and qualities such as `.2`.
        main, _, sub = ("*/*" if name == "*" else name.lower()).partition("/")
        quality = _quality(parameters)
        if main and sub and quality is not None and (main != "*" or sub == "*"):
            ranges.append(_Range(main, sub, quality))
    return ranges


def _quality(parameters: list[str]) -> float | None:
    """The parameter `q`, 1 if there is none; None if it is no number from 0 to 1."""
    given = [value.strip() for name, _, value in map(_halves, parameters) if name == "q"]
    if not given:
        return 1.0
    try:
        quality = float(given[0])
    except ValueError:
        return None
    return quality if 0 <= quality <= 1 else None


def _halves(parameter: str) -> tuple[str, str, str]:
    name, equals, value = parameter.partition("=")
    return name.strip().lower(), equals, value


def _split(text: str, separator: str) -> list[str]:
    """The parts between separators, those inside quotes aside; empty parts are left out."""
    quoted = r'"(?:[^"\\]|\\.)*"?'
    parts = re.findall(rf'(?:[^{separator}"]|{quoted})+', text)
    return [part.strip() for part in parts if part.strip()]
