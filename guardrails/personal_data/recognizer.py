"""What every recognizer here is: a Presidio recognizer for one entity, in any language, on folded text.

Patterns use EDGE instead of `\\b`, which takes a Chinese character for part of the word and so misses what touches one.
"""

import re
from collections.abc import Iterator
from typing import Any, ClassVar

from guardrails.personal_data.imports import without_torch

with without_torch():
    from presidio_analyzer import EntityRecognizer, RecognizerResult

LANGUAGE = "xx"
"""spaCy's code for "any language": every recognizer sees every text and passes by itself what is not for it."""

BEFORE = r"(?<![0-9A-Za-z])(?<![0-9]\.)"
AFTER = r"(?![0-9A-Za-z])(?!\.[0-9])"

BREAK = r"[ \t]{0,2}(?:\r?\n){1,2}[ \t]{0,2}"
"""A line break within a number: what a copied table or a narrow mail program leaves."""

_REFERENCE = re.compile(
    r"(?:(?:订单|运单|工单|流水|交易|发票|合同|序列|批次|追踪|跟踪|参考|凭证|条形?码|商品|产品|货品|物料|设备|型号"
    r"|(?:快递|物流|包裹|退货|取件|单|货|票|款)(?=编?号))(?:编?号码?|单号|ID|码)?|单号|编号"
    r"|(?<![a-z])(?:order|tracking|parcel|package|shipment|waybill|invoice|ticket|case|reference|ref|sku|item|product"
    r"|serial|model|part|batch|transaction|confirmation|imei|isbn|upc|ean|barcode|rma|po)"
    r"(?:[ -]?(?:number|num|no\.?|nr|id|code))?)[ ]*(?:是|为|is|was|[:#=(\[])*[ #]*$",
    re.IGNORECASE,
)

_FOURS = re.compile(r"(?<![0-9])(?<![0-9] )[0-9]{4}(?: [0-9]{4}){3,}(?: [0-9]{1,3})?(?![0-9])")

Span = tuple[int, int, float]


class Recognizer(EntityRecognizer):  # type: ignore[misc]
    """One entity. A subclass names it and yields the spans `(start, end, score)` that it finds in folded text."""

    ENTITY: ClassVar[str]

    def __init__(self) -> None:
        super().__init__([self.ENTITY], supported_language=LANGUAGE)

    def load(self) -> None:
        """Nothing to load unless a subclass says so."""

    def spans(self, text: str) -> Iterator[Span]:
        """Yield what `text` (folded) holds: start, end, score in (0, 1]."""
        raise NotImplementedError

    def analyze(self, text: str, entities: list[str], nlp_artifacts: Any = None) -> list[RecognizerResult]:
        """Presidio's entrance: the spans as its results."""
        return [RecognizerResult(self.ENTITY, start, end, score) for start, end, score in self.spans(text)]


def is_reference(text: str, start: int) -> bool:
    """Return whether the words right before `start` call what follows an order, tracking, invoice … number."""
    return _REFERENCE.search(text, max(0, start - 32), start) is not None


def is_within_fours(text: str, start: int, end: int) -> bool:
    """Return whether the number is part of sixteen digits or more in fours: a card or a parcel, not a phone."""
    around = range(max(0, start - 32), end + 32)
    return any(run.start() < start < run.end() for run in _FOURS.finditer(text, around.start, around.stop))
