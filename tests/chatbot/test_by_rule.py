"""Routing: what is certainly small talk or a request for a person, and much that only looks like it."""

import re

import pytest

from chatbot.by_rule import Ruled, by_rule
from chatbot.language import language_of


def cases(table: str) -> list[str]:
    """The texts of a table, between slashes."""
    return [text.strip() for text in re.split(r" /\s", table)]


GREETINGS = cases(
    """
    你好 / 您好！ / 你好呀～ / 在吗 / 在吗？ / 客服在吗 / 早上好 / 哈喽 / 亲 / 亲，在吗？ / 嗨 / 你好，有人在吗 /
    晚上好！ / hi / Hello! / Hey there / hi, hello / Good morning / HELLO??? / Hi 👋 / is anyone there? / Ｈｅｌｌｏ
    """
)
THANKS = cases(
    """
    谢谢 / 谢谢你！ / 非常感谢 / 好的，谢谢 / 好的 / 知道了 / 再见 / 拜拜 / 嗯嗯 / 辛苦了 / 谢谢您的帮助 / 你好，谢谢 /
    没问题了，再见 / 明白了 / thanks / Thank you so much! / ok thanks / thx / bye / Thanks, bye! / great, thank you /
    Okay / thank you for your help / see you later / That's all, thanks.
    """
)
PERSON = cases(
    """
    人工 / 人工人工 / 人工客服 / 转人工 / 转人工！ / 转 人工 客服 / 请转人工 / 我要转人工 / 麻烦帮我转接人工客服 /
    我要人工 / 找人工 / 我想找真人客服 / 叫人工 / 联系客服 / 客服 / 可以转人工吗？ / 能不能转人工 / 怎么转人工 /
    有人工吗 / 你们有人工客服吗？ / 我想和真人聊 / 能跟人工客服说话吗 / 你好，转人工 / 你答非所问，转人工 / 换人工吧 /
    转接客服谢谢 / 退款一直没到，我要找人工客服 / 转人工，退款多久到账？ / agent / Agent please / human /
    a real person please / I want to talk to a human please / can I speak to someone? / Can I talk to a real person /
    connect me to an agent / Please transfer me to a human agent. / I'd like to speak with a representative /
    I need a human / get me an agent now / let me talk to your manager / how can I talk to a human? /
    This is useless. I want to talk to a person / Hi, can I speak with a live agent? /
    could you put me through to a human / I need to talk to someone about my broken kettle / representative /
    Could I chat with customer service please? / I WANT A HUMAN!!!
    """
)
QUESTIONS = cases(
    """
    is the store staffed by humans? / 人工费多少 / agent price / 人工智能音箱多少钱 / 人工安装收费吗 /
    人工客服几点上班？ / 转人工要等多久 / 不要转人工 / 别转人工了 / 为什么总是转人工 / 客服电话是多少 / 怎么联系客服 /
    安装需要人工吗 / 需要人工吗 / 真人试穿图有吗 / 是真人发货吗 / 这款真皮沙发多少钱 / 如果破损了，找客服吗 /
    如果要退货，联系客服 / 转账到哪个账户 / 转寄可以吗 / When do human agents work? /
    what hours can I talk to a human agent / I don't want to talk to a human / Do you sell human hair wigs? /
    Is this cleaning agent safe? / I need an agent code / can I transfer to someone else? /
    Can I transfer my voucher to another person? / How do I contact customer support? /
    who is your sales agent in Leeds / human-sized teddy bear / real person reviews? /
    If it breaks, can I talk to a person? / Do agents get a discount? / operator manual for the drill /
    someone stole my parcel / 你好吗的英文杯子有货吗 / 早餐机多少钱 / 亲子装有货吗 / 谢谢卡可以定制吗 /
    好的快递是哪家 / 再见系列还有吗 / Hello Kitty mug price / Hi-Fi speakers price /
    thanks for nothing, where is my parcel / thank you cards in stock? / good morning mug / bye bye set, how much? /
    ok to wash at 60? / 好评返现吗 / 感谢信怎么写 / 退款多久到账 / ??? / 👍 / 1 / <PHONE_1>
    """
)


@pytest.mark.parametrize("text", GREETINGS)
def test_a_greeting_alone_is_a_greeting(text: str) -> None:
    assert by_rule(text, language_of(text, "en")) == Ruled("greeting", "")


@pytest.mark.parametrize("text", THANKS)
def test_thanks_and_goodbyes_alone_end_the_talk(text: str) -> None:
    assert by_rule(text, language_of(text, "en")) == Ruled("thanks_goodbye", "")


@pytest.mark.parametrize("text", PERSON)
def test_a_request_for_a_person_is_heard(text: str) -> None:
    assert by_rule(text, language_of(text, "en")).intent == "human_agent"


@pytest.mark.parametrize("text", ["", "   ", *QUESTIONS])
def test_what_only_looks_like_small_talk_is_a_question(text: str) -> None:
    assert by_rule(text, language_of(text, "en")).intent == "other"


@pytest.mark.parametrize(
    ("text", "question"),
    [
        ("你好，退款多久到账？", "退款多久到账？"),
        ("您好！请问退款多久到账？谢谢", "请问退款多久到账？"),
        ("你好退款多久到账", "退款多久到账"),
        ("你好多少钱", "你好多少钱"),
        ("在吗？我的快递到哪了", "我的快递到哪了"),
        ("Hi, how long does a refund take? Thanks!", "how long does a refund take?"),
        ("hello how long does a refund take", "how long does a refund take"),
        ("Hello Kitty mug price", "Hello Kitty mug price"),
        ("thanks! and who pays for the return?", "and who pays for the return?"),
        ("  Who pays? ", "Who pays?"),
        ("I paid 3.50, why?", "I paid 3.50, why?"),
    ],
)
def test_greetings_and_thanks_around_a_question_are_cut_off(text: str, question: str) -> None:
    assert by_rule(text, language_of(text, "en")) == Ruled("other", question)


def test_a_number_that_says_goodbye_in_chinese_is_a_number_in_english() -> None:
    assert by_rule("88", "zh").intent == "thanks_goodbye"
    assert by_rule("88", "en") == Ruled("other", "88")
