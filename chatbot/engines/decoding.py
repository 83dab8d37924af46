"""How the next token is chosen: by what is asked for, and by how surely the evidence answers it. Knows no model."""

from dataclasses import dataclass

COOLEST, WARMEST = 0.3, 0.9


@dataclass(frozen=True)
class Decoding:
    """`temperature` None is greedy; then `top_p` and `top_k` are not used.

    `repetition_penalty` and `no_repeat_ngram` (0: off) look at the reply alone: they must not forbid quoting the
    evidence.
    """

    temperature: float | None = None
    top_p: float = 0.92
    top_k: int = 50
    repetition_penalty: float = 1.15
    no_repeat_ngram: int = 3


def decoding_for(temperature: float, confidence: float) -> Decoding:
    """How to write a reply whose intent allows that temperature, from evidence that answers it with this probability.

    The less sure the evidence, the nearer to it, whatever the intent allows.
    """
    warmest, sure = min(WARMEST, max(COOLEST, temperature)), min(1.0, max(0.0, confidence))
    return Decoding(temperature=round(COOLEST + (warmest - COOLEST) * sure, 2))


def repetition(text: str, n: int = 3) -> float:
    """The share of the n-grams of `text` (words; Chinese: characters) that came before in it, 0 to 1."""
    words = text.lower().split()
    units = [unit for word in words for unit in (word if any(sign >= "\u3400" for sign in word) else (word,))]
    grams = [tuple(units[start : start + n]) for start in range(len(units) - n + 1)]
    return 1 - len(set(grams)) / len(grams) if grams else 0.0
