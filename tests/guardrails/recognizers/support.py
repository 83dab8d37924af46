"""What a recognizer's table is checked with."""

from guardrails.personal_data.folding import fold
from guardrails.personal_data.recognizer import Recognizer


def found(recognizer: Recognizer, text: str) -> list[str]:
    """Return the pieces of the original text that the recognizer finds."""
    folded = fold(text)
    spans = [folded.original(start, end) for start, end, _ in recognizer.spans(folded.text)]
    return [text[start:end] for start, end in spans]
