"""What two questions must share before they may share an answer."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chatbot.same_question import normalised, same_facts

SPELLED_ALIKE = [
    ("How long do returns take?", "how long do returns take"),
    ("  How long  do returns take ?!", "How long do returns take"),
    ("ＨＯＷ　ＬＯＮＧ？", "how long?"),
    ("HOW LONG DO RETURNS TAKE", "how long do returns take?"),
    ("退貨要多久？", "退货要多久"),
    ("退货 要 多久 ？？", "退货要多久~"),
    ("What’s the fee?", "What's the fee?"),
    ("iPhone 15 多少钱", "iphone 15多少钱？"),
]
SPELLED_OTHERWISE = [
    ("Do you ship to US?", "Do you ship to us?"),
    ("1.5 kg", "15 kg"),
    ("退货要多久", "换货要多久"),
    ("the A-10 bag", "the A10 bag"),
    ("Can I return it?", "Can't I return it?"),
    ("", "?a"),
]


@pytest.mark.parametrize(("one", "other"), SPELLED_ALIKE)
def test_width_case_script_spaces_and_marks_around_do_not_count(one: str, other: str) -> None:
    assert normalised(one) == normalised(other)


@pytest.mark.parametrize(("one", "other"), SPELLED_OTHERWISE)
def test_everything_else_counts(one: str, other: str) -> None:
    assert normalised(one) != normalised(other)


@settings(max_examples=100)
@given(st.text(max_size=40))
def test_what_is_normalised_stays_so(text: str) -> None:
    once = normalised(text)
    assert normalised(once) == once or once.isupper()
    assert normalised(f"  {text} ？") == once or once.isupper()


SAME = [
    ("退货的运费谁出？", "谁来出退货的运费"),
    ("邮费多少钱", "请问一下，运费是多少钱"),
    ("Where is my package?", "Please tell me: where is my parcel?"),
    ("怎么开通会员？", "如何开通会员"),
    ("多久能发货", "多长时间可以发货？"),
    ("三天内能退货吗", "3天内是否能退货"),
    ("可以货到付款吗", "能不能货到付款"),
    ("为什么付不了款", "为何付不了款"),
    ("How long does delivery take?", "How long will the delivery take"),
    ("Can I pay within two weeks?", "May I pay within 14 days?"),
    ("Is the Nimbus 40L bag waterproof?", "is the bag Nimbus 40L waterproof"),
    ("Can't I return shoes?", "Is it that I cannot return shoes?"),
]
OTHER = [
    # numbers, units
    ("三天内能退货吗", "五天内能退货吗"),
    ("满99元包邮吗", "满199元包邮吗"),
    ("7天能到吗", "7周能到吗"),
    ("Can I pay within 14 days?", "Can I pay within 40 days?"),
    ("Does the 5 kg box fit?", "Does the 50 kg box fit?"),
    ("is $20 enough?", "is €20 enough?"),
    # names and codes
    ("iPhone 15 多少钱", "iPhone 16 多少钱"),
    ("型号PPR-9087有货吗", "型号PPR-9088有货吗"),
    ("支持PayPal付款吗", "支持Visa付款吗"),
    ("Do you ship to Canada today?", "Do you ship to Mexico today?"),
    ("寄到新疆多少钱", "寄到北京多少钱"),
    # negation
    ("可以退货吗", "不可以退货吗"),
    ("逾期会收费吗", "不逾期会收费吗"),
    ("Can I return shoes?", "Can I not return shoes?"),
    ("is it with batteries?", "is it without batteries?"),
    # opposites
    ("怎么开通自动续费", "怎么关闭自动续费"),
    ("怎么借书", "怎么还书"),
    ("在哪里买旧货", "在哪里卖旧货"),
    ("最高额度是多少", "最低额度是多少"),
    ("付款之前能改地址吗", "付款之后能改地址吗"),
    ("可以提前还款吗", "可以延期还款吗"),
    ("How do I log in?", "How do I log out?"),
    ("When does the shop open?", "When does the shop close?"),
    ("What is the maximum order?", "What is the minimum order?"),
    ("Can I cancel before dispatch?", "Can I cancel after dispatch?"),
    # direction
    ("人民币换成美元怎么换", "美元换成人民币怎么换"),
    ("从上海寄到北京要多久", "从北京寄到上海要多久"),
    ("How do I move points from Gold to Basic?", "How do I move points from Basic to Gold?"),
    # what is asked
    ("退款多久到账", "退款怎么到账"),
    ("退款什么时候到账", "为什么退款没到账"),
    ("How much is express delivery?", "How long is express delivery?"),
    ("Where is my parcel?", "When is my parcel here?"),
    ("会员是什么", "会员怎么办理"),
    # matter
    ("羊毛衫可以机洗吗", "羊绒衫可以机洗吗"),
    ("给女儿买的能退吗", "给儿子买的能退吗"),
    ("my sister is called anna, can she collect it", "my sister is called hanna, can she collect it"),
    ("Is the red bag in stock?", "Is the blue bag in stock?"),
    ("猫能吃狗粮吗", "狗能吃猫粮吗"),
    ("退货寄到哪里", "换货寄到哪里"),
    # scope
    ("会员可以包邮吗", "只有会员可以包邮吗"),
    ("我能用积分吗", "我朋友能用积分吗"),
    ("Can I use the voucher?", "Can I use the voucher again?"),
    ("Are shoes on sale?", "Are all shoes on sale?"),
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_other_words_for_the_same_may_share_an_answer(one: str, other: str) -> None:
    assert same_facts(one, other)
    assert same_facts(other, one)


@pytest.mark.parametrize(("one", "other"), OTHER)
def test_another_number_name_negation_side_direction_or_kind_of_question_may_not(one: str, other: str) -> None:
    assert not same_facts(one, other)
    assert not same_facts(other, one)


@settings(max_examples=100)
@given(st.text(max_size=40), st.text(max_size=40))
def test_it_is_an_equivalence_and_never_breaks(one: str, other: str) -> None:
    assert same_facts(one, one)
    assert same_facts(one, other) == same_facts(other, one)
