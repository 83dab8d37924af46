"""Finds personal data in a text: Presidio's engine with this package's recognizers, built once a process.

Needs no network and no torch. Knows nothing of placeholders and vaults.
"""

import warnings
from collections.abc import Iterator
from functools import cache

from guardrails.personal_data.finding import Finding, without_overlaps
from guardrails.personal_data.folding import fold
from guardrails.personal_data.imports import without_torch

with without_torch():
    from presidio_analyzer import AnalyzerEngine, RecognizerRegistry
    from presidio_analyzer.context_aware_enhancers import ContextAwareEnhancer
    from presidio_analyzer.nlp_engine import NoOpNlpEngine

    from guardrails.personal_data.recognizer import LANGUAGE
    from guardrails.personal_data.recognizers.address_en import AddressEn
    from guardrails.personal_data.recognizers.address_zh import AddressZh
    from guardrails.personal_data.recognizers.bank_card import BankCard
    from guardrails.personal_data.recognizers.cn_id_card import CnIdCard
    from guardrails.personal_data.recognizers.cn_landline import CnLandline
    from guardrails.personal_data.recognizers.cn_license_plate import CnLicensePlate
    from guardrails.personal_data.recognizers.cn_mobile import CnMobile
    from guardrails.personal_data.recognizers.cn_passport import CnPassport
    from guardrails.personal_data.recognizers.credit_card import CreditCard
    from guardrails.personal_data.recognizers.email import Email
    from guardrails.personal_data.recognizers.iban import Iban
    from guardrails.personal_data.recognizers.intl_phone import IntlPhone
    from guardrails.personal_data.recognizers.ip_address import IpAddress
    from guardrails.personal_data.recognizers.person_en import PersonEn
    from guardrails.personal_data.recognizers.person_zh import PersonZh
    from guardrails.personal_data.recognizers.us_phone import UsPhone
    from guardrails.personal_data.recognizers.us_ssn import UsSsn
    from guardrails.personal_data.recognizers.wechat_id import WechatId

RECOGNIZERS = (
    CnIdCard, Email, Iban, BankCard, CreditCard, UsSsn,
    CnMobile, CnLandline, UsPhone, IntlPhone, IpAddress, CnPassport, CnLicensePlate, WechatId,
    AddressZh, AddressEn, PersonZh, PersonEn,
)  # fmt: skip

_WINDOW = 2000
_OVERLAP = 256


class Detector:
    """All recognizers behind one call. Making a second one costs nothing: the models are the process's."""

    def __init__(self) -> None:
        self._engine = _engine()

    def find(self, text: str) -> list[Finding]:
        """Return what `text` holds, in order, without overlaps; offsets are code points of `text` as it was given.

        Time grows with the length only linearly: a long text is read in windows of 2,000 characters that share 256;
        each finding comes from the one window in which it has the most text around it.
        """
        folded = fold(text)
        found = [
            Finding(result.entity_type, *folded.original(at + result.start, at + result.end), result.score)
            for at, window, owned in _windows(folded.text)
            for result in self._engine.analyze(window, LANGUAGE)
            if result.start in owned
        ]
        return without_overlaps(found)


def _windows(text: str) -> Iterator[tuple[int, str, range]]:
    """Yield where each window begins, its text, and the range of starts (within it) that are its own to report."""
    step = _WINDOW - _OVERLAP
    for at in range(0, max(1, len(text) - _OVERLAP), step):
        is_last = at + _WINDOW >= len(text)
        yield (
            at,
            text[at : at + _WINDOW],
            range(_OVERLAP // 2 if at else 0, _WINDOW if is_last else _WINDOW - _OVERLAP // 2),
        )


@cache
def _engine() -> AnalyzerEngine:
    """Presidio's analyzer without an NLP engine of its own: the recognizers that need a model bring it."""
    registry = RecognizerRegistry([recognizer() for recognizer in RECOGNIZERS], supported_languages=[LANGUAGE])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return AnalyzerEngine(
            registry,
            NoOpNlpEngine([{"lang_code": LANGUAGE, "model_name": ""}]),
            supported_languages=[LANGUAGE],
            # changes nothing: these recognizers read the context themselves, the usual one copies every result first
            context_aware_enhancer=ContextAwareEnhancer(0, 0, 0, 0),
        )
