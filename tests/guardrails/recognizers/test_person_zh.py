import pytest

from guardrails.personal_data.recognizers import person_zh
from guardrails.personal_data.recognizers.person_zh import PersonZh
from tests.guardrails.recognizers.support import found

FOUND = [
    ("我叫张伟，麻烦查一下", "张伟"),
    ("收货人李秀英电话13812345678", "李秀英"),
    ("联系人：欧阳晓雪\n手机", "欧阳晓雪"),
    ("请联系王建国先生", "王建国"),
    ("快递员赵志强态度很差", "赵志强"),
    ("帮我把收件人改成于旋", "于旋"),
    ("昨天客服刘思佳答应给我退款", "刘思佳"),
    ("姓名阿卜杜拉·买买提", "阿卜杜拉·买买提"),
    ("谢谢，祝好。武晨文", "武晨文"),
]
LEFT = [
    "高兴的是已经收到了",
    "这款李宁的鞋有42码吗",
    "周大福的金价今天多少",
    "王先生说可以退",
    "请问张家界可以配送吗",
    "方便的话今天处理一下",
    "我是黄金会员，有优惠吗",
    "退款要多久才能到账？",
    "王老吉有货吗",
    "how long does a refund take?",
]


@pytest.mark.parametrize(("text", "value"), FOUND)
def test_finds_a_chinese_name_without_its_title(text: str, value: str) -> None:
    assert value in found(PersonZh(), text)


UNASKED = [
    "对方银行要账号，非常麻烦，白天打电话也没人接",
    "居然一共付了18361元，查一下订单，关于退款麻烦帮忙",
    "寄到浙江省金华市义乌市人民路356号国贸中心23层了",
    "两辆车都要续保：沪N·F51276和川R51117",
    "晚上七点以后打18414333776",
]
ASKED = ["卖方付超，车牌在后面", "卖方东方轩", "非常感谢张伟", "阿卜杜拉·买买提"]


@pytest.mark.parametrize("text", UNASKED)
def test_the_tagger_is_not_asked_where_surnames_stand_in_words_and_streets(
    text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    recognizer = PersonZh()  # loads the tagger
    monkeypatch.setattr(person_zh, "tagger", lambda: pytest.fail("asked"))
    assert found(recognizer, text) == []


@pytest.mark.parametrize("text", ASKED)
def test_the_tagger_is_asked_where_a_name_may_be(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    recognizer = PersonZh()
    monkeypatch.setattr(person_zh, "tagger", lambda: pytest.fail("asked"))
    with pytest.raises(pytest.fail.Exception, match="asked"):
        found(recognizer, text)


@pytest.mark.parametrize("text", LEFT)
def test_leaves_brands_places_and_common_words(text: str) -> None:
    assert found(PersonZh(), text) == []
