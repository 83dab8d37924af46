"""How long tests wait for what must come: longer than a slow, busy machine takes. What comes early costs nothing."""

PATIENCE = 60  # seconds

BOUNDED = 10.0
"""Seconds of CPU for evil input that a slow machine does in one: work that grows with the square takes far longer."""
