import pytest

from guardrails.personal_data.recognizers.wechat_id import WechatId
from tests.guardrails.recognizers.support import found

FOUND = [
    ("我的微信是li_wei88谢谢", "li_wei88"),
    ("微信号：zhang-san_01，加我", "zhang-san_01"),
    ("加我微信wangfang1990吧", "wangfang1990"),
    ("vx:abc_12345", "abc_12345"),
    ("加v lixiaolong99", "lixiaolong99"),
    ("微信号是xiaolongnv", "xiaolongnv"),
    ("WeChat ID: sunny_day7", "sunny_day7"),
    ("my wechat is sunny-day7 ok", "sunny-day7"),
    ("chen_2020是我的微信", "chen_2020"),
    ("联系wxid_a1b2c3d4e5f6g7", "wxid_a1b2c3d4e5f6g7"),
    ("微信ｌｉｗｅｉ＿８８", "ｌｉｗｅｉ＿８８"),
    ("you can find me on WeChat as sunny-day7, thanks", "sunny-day7"),
    ("sunny_day7 (WeChat)", "sunny_day7"),
    ("+v liwei1990", "liwei1990"),
    ("用微信联系我比较方便，号码就写在这里了：liwei_1990。", "liwei_1990"),
    ("liwei1990，微信同名", "liwei1990"),
    ("微信\nliwei_88\n", "liwei_88"),
    ("my wechat is lixiaolong", "lixiaolong"),
    ("find me on WeChat as lily-chen", "lily-chen"),
    ("微信——wangfang1990", "wangfang1990"),
    ("我填了tanjun-564提交不了", "tanjun-564"),
    ("刚才发的shen294118发错了", "shen294118"),
]
LEFT = [
    "微信支付失败了",
    "微信android版打不开",
    "WeChat support does not answer",
    "微信小程序打不开",
    "用微信扫码登录",
    "pay with wechat please",
    "WeChat Pay failed for order ab-12345",
    "微信在iphone15pro上打不开",
    "微信登录报错E-12345",
    "微信转账2000元",
    "订单ab_12345用微信付的",
    "微信8.0.47更新了",
    "微信里发我zhangsan@qq.com",
    "my wechat is changing colours",
    "my wechat is running slow",
    "sign-up on WeChat fails",
    "货号tan200350有货吗",
    "SHEN294118有货吗",
]


@pytest.mark.parametrize(("text", "value"), FOUND)
def test_finds_an_id_that_the_text_calls_one(text: str, value: str) -> None:
    assert set(found(WechatId(), text)) == {value}


@pytest.mark.parametrize("text", LEFT)
def test_leaves_words_beside_the_app_s_name(text: str) -> None:
    assert found(WechatId(), text) == []
