"""What shows that a DICOM series lacks a smaller level, which no header names: its numbers and its steps."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from itertools import pairwise

from ..formats._dicom import DicomHeader

_LEAST_STEP = 1.5  # smaller ones are no steps of a pyramid
_TOLERANCE = 0.9  # widths are whole pixels


def missing_numbers(headers: Collection[DicomHeader]) -> list[int]:
    """Return the InstanceNumbers that a series lacks, in order; nothing if it lacks most of them."""
    numbers = {header.number for header in headers if header.number is not None}
    if not numbers:
        return []
    missing = sorted(set(range(min(1, *numbers), max(numbers) + 1)) - numbers) if max(numbers) < 2**16 else []
    return missing if len(missing) < len(numbers) else []


def missing_steps(headers: Collection[DicomHeader]) -> Iterator[tuple[int, int]]:
    """Give the widths of neighbours in a pyramid that are two or more of its usual steps apart."""
    widths = sorted({header.width for header in headers if header.flavour == "VOLUME"}, reverse=True)
    steps = [wide / narrow for wide, narrow in pairwise(widths)]
    if not steps:
        return
    rounded = [round(step) for step in steps]
    usual = max(rounded, key=rounded.count)  # the first of several: the last step may be a smaller one
    for pair, step in zip(pairwise(widths), steps, strict=True):
        if usual > _LEAST_STEP and step > usual**2 * _TOLERANCE:
            yield pair
