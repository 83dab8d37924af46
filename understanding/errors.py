"""What can go wrong with understanding; each says in one line what is missing or wrong."""


class UnderstandingError(Exception):
    """Shown to whoever asked for what could not be done."""


class ModelUnreadable(UnderstandingError):
    """No model, or one that does not fit."""


class CannotTrain(UnderstandingError):
    """Rows that nothing can be learned from."""
