"""Word lists written as text."""


def words(text: str) -> tuple[str, ...]:
    """The words of `text` between blanks; "_" stands for a blank inside a word."""
    return tuple(word.replace("_", " ") for word in text.split())
