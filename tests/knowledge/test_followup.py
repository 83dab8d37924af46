import pytest

from knowledge.followup import is_follow_up, is_small_talk, standalone


@pytest.mark.parametrize(
    "question",
    [
        "那运费呢？",
        "西藏呢",
        "它多久能到",
        "那如果超过七天了",
        "and for Tibet?",
        "What about refunds?",
        "how long does it take?",
        "Why?",
        "要多久",
        "And refunds?",
        "Also in blue?",
        "For four",
        "周六也送吗？",
        "便宜的是哪个？",
        "有儿童的吗",
    ],
)
def test_questions_that_lean_on_earlier_ones(question: str) -> None:
    assert is_follow_up(question)


@pytest.mark.parametrize(
    "question",
    [
        "退货运费由谁承担？",
        "雪线500睡袋的温标是多少",
        "How long does a refund take?",
        "Do you ship to Tibet and how much is it?",
        "可以用信用卡付款吗",
        "Is it possible to pay by card in the shop?",
        "Also, where can I return an online order?",
        "For how long is a voucher of your shop valid?",
        "另外想问下，网上订单在哪里退货？",
        "我的订单是昨天晚上在手机上下的",
        "如果手机进水了，保修管不管？",
    ],
)
def test_questions_that_stand_alone(question: str) -> None:
    assert not is_follow_up(question)


def test_a_follow_up_is_led_from_the_last_question_that_stood_alone_on() -> None:
    history = ["你们支持哪些付款方式？", "退货运费由谁承担？", "那换货呢？"]
    assert standalone("西藏呢？", history) == "退货运费由谁承担？ 那换货呢？ 西藏呢？"


def test_without_history_or_need_a_question_stays_as_it_is() -> None:
    assert standalone("西藏呢？", []) == "西藏呢？"
    question = "How long does a refund to a credit card take?"
    assert standalone(question, ["Do you ship to Tibet by air?"]) == question


def test_a_question_that_hardly_says_what_it_is_about_is_led_though_it_looks_whole() -> None:
    history = ["Can I return a bracelet that I bought on sale?"]
    assert standalone("How many days do I have?", history) == f"{history[0]} How many days do I have?"
    assert standalone("最多能用多少", ["储值卡能不能在网上用"]) == "储值卡能不能在网上用 最多能用多少"


def test_a_follow_up_to_a_follow_up_is_led_by_both() -> None:
    history = ["How much is shipping to Japan?", "And to Korea?"]
    assert standalone("How long?", history) == "How much is shipping to Japan? And to Korea? How long?"


@pytest.mark.parametrize(
    "message", ["Thank you very much", "No thanks, bye", "OK", "好的，谢谢你", "那就这样吧，再见", "早上好！"]
)
def test_small_talk_is_left_alone(message: str) -> None:
    assert is_small_talk(message)
    assert standalone(message, ["Do you ship to Tibet?"]) == message


@pytest.mark.parametrize("message", ["", "?", "Thanks, and to Korea?", "好的，那运费呢？", "这样可以退吗"])
def test_small_talk_says_nothing_else(message: str) -> None:
    assert not is_small_talk(message)


@pytest.mark.parametrize("message", ["What is your phone number?", "门店几点关门？", "支持哪些付款方式？"])
def test_what_any_shop_is_asked_about_is_a_question_in_two_words(message: str) -> None:
    assert standalone(message, ["Do you ship to Tibet by air?"]) == message


@pytest.mark.parametrize("message", ["How long is the notice period?", "有效期多长？", "轮椅进得去吗？"])
def test_other_questions_of_two_words_are_led(message: str) -> None:
    assert standalone(message, ["Do you ship to Tibet by air?"]) == f"Do you ship to Tibet by air? {message}"
