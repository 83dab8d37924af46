"""Why a base cannot be searched."""


class BaseMissing(Exception):
    """There is no knowledge base of that name."""


class VectorsMissing(Exception):
    """The base was embedded with another model; its documents have to be imported again."""
