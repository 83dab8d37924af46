"""What customers may send: how much, how many. Which types, kinds.py says."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Rules:
    """The bounds of one installation. `most_pixels` counts all frames of a moving picture."""

    most_bytes: int = 10_000_000
    per_message: int = 5
    per_day: int = 20
    visitor_bytes: int = 50_000_000
    most_pixels: int = 25_000_000
