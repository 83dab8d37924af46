"""The parts with which documents are made ready: model, guards, recognisers; built once a process, on first use.

For the desk worker and the shell, not for web.
"""

from functools import lru_cache, partial
from hashlib import sha256
from typing import Any

from chatbot import worker_wiring
from chatbot.once import Once
from desk import contacts, services
from guardrails.personal_data.masking import same_value
from guardrails.personal_data.pool import MaskingPool
from guardrails.placeholders import escape_lookalikes
from guardrails.quarantine import quarantined
from knowledge.findings import Found, Publishes
from knowledge.stages import Tools

MASKING_SECONDS, STARTING_SECONDS = 20.0, 120.0
STAND_INS = {
    "ADDRESS": ("地址", "address"),
    "BANK_CARD": ("银行卡号", "card number"),
    "CN_ID_CARD": ("身份证号", "identity number"),
    "CN_LANDLINE": ("电话", "phone number"),
    "CN_LICENSE_PLATE": ("车牌号", "licence plate"),
    "CN_MOBILE": ("手机号", "phone number"),
    "CN_PASSPORT": ("护照号", "passport number"),
    "CREDIT_CARD": ("信用卡号", "card number"),
    "EMAIL": ("邮箱", "e-mail address"),
    "IBAN": ("银行账号", "bank account"),
    "INTL_PHONE": ("电话", "phone number"),
    "IP_ADDRESS": ("网络地址", "network address"),
    "PERSON": ("姓名", "name"),
    "US_PHONE": ("电话", "phone number"),
    "US_SSN": ("社会保障号", "social security number"),
    "WECHAT_ID": ("微信号", "WeChat id"),
}


@Once
def masking() -> MaskingPool:
    """One masking process of this process: a hostile file can hang that, and not the desk."""
    pool = MaskingPool(processes=1, queue=64, seconds=MASKING_SECONDS)
    pool.warm(STARTING_SECONDS)
    return pool


def find(text: str) -> list[Found]:
    """Find personal data in a text of a document. Raises guardrails' MaskingUnavailable."""
    return [
        Found(one.entity, one.start, one.end, value_key(one.entity, text[one.start : one.end]))
        for one in masking().find(text)
    ]


def value_key(entity: str, value: str) -> str:
    """Return the key that all spellings of a value share; a digest, because masked values are nobody's business."""
    return sha256(f"{entity}\x1f{same_value(entity, value)}".encode()).hexdigest()[:32]


def stand_in(entity: str, language: str) -> str:
    """Return what stands in place of a masked value. No placeholder: those are the customer's own data."""
    chinese, english = STAND_INS.get(entity, ("已隐去", "removed"))
    return f"［{chinese}］" if language == "zh" else f"[{english}]"


def tools(base: str = "") -> Tools:
    """Return what making a version of this base's documents takes. Raises knowledge's ModelMissing."""
    return Tools(
        embedder=worker_wiring.embedder(),
        judge=worker_wiring.judge_passages,
        guard_version=worker_wiring.document_guard_version(),
        clean=escape_lookalikes,
        is_injection=is_injection,
        find=find,
        publishes=publishes(base),
        stand_in=stand_in,
    )


def publishes(base: str) -> Publishes:
    """Return who decides on personal data in a base's documents while no manager has.

    What a site names as its own, or documents publish already, is shown in every spelling.
    """
    return partial(contacts.are_the_shops_own, known=_keys(tuple(services.contacts_of(base))))


@lru_cache(8)
def _keys(values: tuple[str, ...]) -> frozenset[str]:
    return frozenset(value_key(entity, one) for entity in contacts.WAYS for one in values)


def is_injection(verdict: dict[str, Any]) -> bool:
    """Whether a sentence gives the model orders; a document with one waits in quarantine."""
    return quarantined([verdict]) is not None
