"""The histogram of latencies: four buckets to an octave of microseconds (S4). Plain Python: the switch imports it."""

from __future__ import annotations

from collections.abc import Mapping

LEAST = 8
"""Microseconds of the first bucket."""


def bucket_of(microseconds: int) -> int:
    """The bucket of a latency: its octave times four, and the quarter of the octave.

    >>> [bucket_of(us) for us in (0, 8, 10, 1000, 1023, 1024)]
    [16, 16, 17, 43, 43, 44]
    """
    if microseconds < LEAST:
        microseconds = LEAST
    octave = microseconds.bit_length()
    return octave << 2 | microseconds >> octave - 3 & 3


def microseconds_of(bucket: int) -> float:
    """The middle of a bucket, at most an eighth away from any latency in it."""
    octave, quarter = bucket >> 2, bucket & 3
    return (4.5 + quarter) * float(1 << octave - 3)


def quantile(histogram: Mapping[int, int], share: float) -> float | None:
    """Microseconds below which this share of the latencies lies; None of an empty histogram.

    >>> quantile({40: 50, 44: 50}, 0.5), quantile({40: 99, 60: 1}, 0.99), quantile({}, 0.5)
    (576.0, 576.0, None)
    """
    total, seen = sum(histogram.values()), 0
    for bucket in sorted(histogram):
        seen += histogram[bucket]
        if seen >= share * total:
            return microseconds_of(bucket)
    return None
