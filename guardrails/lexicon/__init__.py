"""Tier 1, the lexicon: words, lists of them, and how they are found in text. Pure; knows nothing of the database."""

from guardrails.lexicon.live import LiveLexicon
from guardrails.lexicon.matching import Hit, Lexicon, verdict_of
from guardrails.lexicon.words import LEVELS, SHIPPED, Level, Word, WordList

__all__ = ["LEVELS", "SHIPPED", "Hit", "Level", "Lexicon", "LiveLexicon", "Word", "WordList", "verdict_of"]
