"""How long tests wait for what must come: longer than a slow, busy machine takes. What comes early costs nothing."""

PATIENCE = 60  # seconds
