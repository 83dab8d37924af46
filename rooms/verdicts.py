"""The guards' verdicts in plain words. Knows nothing of how they come about."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from console.wording import Words

WORDS = Words(
    {
        "action_pass": ("放行", "pass"),
        "action_review": ("审核", "review"),
        "action_block": ("拦截", "block"),
        "action_count": ("仅计数", "count only"),
        "action_allow": ("允许", "allow"),
        "tier_lexicon": ("词库命中", "A word of the lists"),
        "tier_classifier": ("模型判断：言语攻击", "Classifier: offensive language"),
        "tier_injection": ("模型判断：指令注入", "Classifier: gives the bot orders"),
        "tier_leak": ("系统信息外泄", "Leak of the bot's instructions"),
        "tier_grounding": ("资料依据不足", "Not borne out by the documents"),
        "tier_model": ("安全模型判断", "Guard model"),
        "tier_": ("没有异常", "Nothing found"),
        "category_abuse": ("辱骂", "abuse"),
        "category_canary": ("暗记外泄", "secret mark"),
        "category_child_abuse": ("侵害儿童", "child abuse"),
        "category_contact_diversion": ("引导站外联系", "contact elsewhere"),
        "category_contradicted": ("与资料矛盾", "contradicts the documents"),
        "category_drugs": ("毒品", "drugs"),
        "category_fraud": ("欺诈", "fraud"),
        "category_gambling": ("赌博", "gambling"),
        "category_guard_failed": ("检查未能完成", "a check failed"),
        "category_hate": ("仇恨言论", "hate"),
        "category_illegal": ("违法", "illegal"),
        "category_imported": ("导入词", "imported"),
        "category_injection": ("指令注入", "gives the bot orders"),
        "category_instructions": ("指令外泄", "the bot's instructions"),
        "category_obfuscation": ("变形规避", "disguised text"),
        "category_politics": ("政治", "politics"),
        "category_profanity": ("粗口", "profanity"),
        "category_self_harm": ("自伤", "self-harm"),
        "category_sexual": ("色情", "sexual"),
        "category_toxicity": ("攻击性言语", "offensive language"),
        "category_unsupported": ("资料中没有", "not in the documents"),
        "category_violence": ("暴力", "violence"),
        "category_weapons": ("武器", "weapons"),
    }
)
_SCORED = ("classifier", "injection", "grounding", "model")
"""Tiers whose score says how sure they are; a word is there or it is not."""

_TONES = {"pass": "good", "review": "warn", "block": "bad", "count": "info", "allow": "good"}


@dataclass(frozen=True)
class Told:
    """A verdict for people. `tone` is a tag's class; `percent` is None where a score says nothing."""

    action: str
    why: str
    categories: tuple[str, ...]
    tone: str
    percent: int | None


def told(verdict: Mapping[str, Any]) -> Told:
    """Return a verdict, {action, tier, categories, score}, in the reader's words; without an action it is a review."""
    tier = verdict.get("tier") or ""
    action = verdict.get("action", "review")
    score = verdict.get("score") or 0.0
    return Told(
        action=level(action),
        why=WORDS.here().get(f"tier_{tier}", tier),
        categories=categories(verdict.get("categories") or ()),
        tone=_TONES.get(action, ""),
        percent=round(100 * score) if tier in _SCORED else None,
    )


def level(action: str) -> str:
    """Return the name of what happens: pass, review, block, count, allow."""
    return WORDS.here().get(f"action_{action}", action)


def tone(action: str) -> str:
    """Return the class of a tag for what happens."""
    return _TONES.get(action, "")


def categories(names: Sequence[str]) -> tuple[str, ...]:
    """Return what categories are called; those that staff have made are called what they are."""
    words = WORDS.here()
    return tuple(words.get(f"category_{name}", name) for name in names)


def known() -> list[tuple[str, str]]:
    """Return (category, its name) of those that ship, for people to choose from."""
    return [(k.removeprefix("category_"), v) for k, v in WORDS.here().items() if k.startswith("category_")]
