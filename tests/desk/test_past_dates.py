from datetime import date

import pytest

from desk.past_dates import past

TODAY = date(2026, 11, 22)


@pytest.mark.parametrize(
    ("text", "ended"),
    [
        ("The voucher is valid until 31 March 2025.", date(2025, 3, 31)),
        ("This offer expires on March 31, 2025.", date(2025, 3, 31)),
        ("Free wrapping from 1 November to 30 November 2025 in all shops.", date(2025, 11, 30)),
        ("The price holds through 2025-12-31.", date(2025, 12, 31)),
        ("Our autumn sale ends in October 2026, until October 2026 everything is reduced.", date(2026, 10, 31)),
        ("本券有效期至2025年3月31日。", date(2025, 3, 31)),
        ("活动截止到2026年2月28日24点。", date(2026, 2, 28)),
        ("报名2025年6月1日截止。", date(2025, 6, 1)),
        ("2025年11月1日至11日满300减50。", date(2025, 11, 11)),
        ("双十一大促：2025年11月1日－11月11日，全场八折。", date(2025, 11, 11)),
        ("The voucher is valid until 30 November 2026.", None),
        ("本券有效期至2027年3月31日。", None),
        ("This policy applies from 1 March 2025.", None),
        ("本政策自2025年3月1日起执行。", None),
        ("Items bought before 31 March 2025 keep their three-year warranty.", None),
        ("2025年3月31日之前购买的商品仍享三年质保。", None),
        ("We were founded on 5 May 2009.", None),
        ("The voucher is valid until 31 March.", None),
        ("Returns are accepted within 30 days.", None),
        ("Valid until 40 March 2025.", None),
    ],
)
def test_what_ended_is_told_from_what_began_or_goes_on(text: str, ended: date | None) -> None:
    assert past(text, TODAY) == ended


def test_a_year_in_the_heading_counts_for_dates_without_one() -> None:
    assert past("The sale runs until 31 August.", TODAY, "Summer sale 2025") == date(2025, 8, 31)
    assert past("The sale runs until 31 August.", TODAY, "Summer sales of 2025 and 2026") is None


def test_the_last_day_is_not_over() -> None:
    assert past("Valid until 22 November 2026.", TODAY) is None
    assert past("Valid until 21 November 2026.", TODAY) == date(2026, 11, 21)
