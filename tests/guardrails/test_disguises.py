"""Personal data in disguise: broken, spelled, in other signs, glued to anything; and numbers that only look like it."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from guardrails.personal_data.detector import Detector

DISGUISED = [
    ("CN_MOBILE", "138\n1234\n5678"),
    ("CN_MOBILE", "13812\n345678"),
    ("CN_MOBILE", "138_1234_5678"),
    ("CN_MOBILE", "138\t1234\t5678"),
    ("CN_MOBILE", "138|1234|5678"),
    ("CN_MOBILE", "138。1234。5678"),
    ("CN_MOBILE", "138—1234—5678"),
    ("CN_MOBILE", "1-3-8-1-2-3-4-5-6-7-8"),
    ("CN_MOBILE", "１３８１２３４５６７８"),
    ("CN_MOBILE", "①③⑧①②③④⑤⑥⑦⑧"),
    ("CN_MOBILE", "1️⃣3️⃣8️⃣1️⃣2️⃣3️⃣4️⃣5️⃣6️⃣7️⃣8️⃣"),
    ("CN_MOBILE", "一三八零零一三八零零零"),
    ("CN_MOBILE", "一三八、零零一三、八零零零"),
    ("CN_MOBILE", "壹叁捌壹贰叁肆伍陆柒捌"),
    ("CN_MOBILE", "138壹贰叁肆5678"),
    ("CN_MOBILE", "(+86)13812345678"),
    ("CN_MOBILE", "%2B8613812345678"),
    ("CN_LANDLINE", "021\n65432100"),
    ("CN_LANDLINE", "0755_86543210"),
    ("CN_LANDLINE", "+86(0)755-86543210"),
    ("CN_LANDLINE", "零一零六二三四五六七八"),
    ("EMAIL", "name%40host.com"),
    ("EMAIL", "li.wei(at)gmail(dot)com"),
    ("EMAIL", "li.wei [at] gmail [dot] com"),
    ("EMAIL", "liwei AT gmail DOT com"),
    ("EMAIL", "liwei艾特qq点com"),
    ("EMAIL", "liwei＠qq．com"),
    ("EMAIL", "liwei\n@qq.com"),
    ("EMAIL", "liwei&#64;gmail.com"),
    ("EMAIL", "zhangwei@公司.cn"),
    ("EMAIL", "liwei@gmail"),
    ("BANK_CARD", "62220212 34567894"),
    ("BANK_CARD", "6222-0212-3456-7894"),
    ("CREDIT_CARD", "41111111 11111111"),
    ("CREDIT_CARD", "4111\n1111\n1111\n1111"),
    ("CREDIT_CARD", "4111_1111_1111_1111"),
    ("CREDIT_CARD", "4111/1111/1111/1111"),
    ("CREDIT_CARD", "4 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1"),
    ("CN_ID_CARD", "11010519491231002x"),
    ("CN_ID_CARD", "110105\n19491231\n002x"),
    ("CN_ID_CARD", "110105_19491231_002X"),
    ("CN_ID_CARD", "11010519491231002Х"),
    ("CN_ID_CARD", "11010519491231002×"),
    ("CN_ID_CARD", "一一零一零五一九四九一二三一零零二X"),
    ("US_PHONE", "(212) 555-0187 ext. 45"),
    ("US_PHONE", "212-\n555-0187"),
    ("US_PHONE", "212_555_0187"),
    ("INTL_PHONE", "+44 (0)20 7946 0958"),
    ("INTL_PHONE", "+49 30 901820 ext 12"),
    ("IBAN", "DE89 3704 0044 0532 0130 00"),
    ("IBAN", "gb29 nwbk 6016 1331 9268 19"),
    ("IBAN", "DE89.3704.0044.0532.0130.00"),
    ("IBAN", "DE89\n3704 0044 0532 0130 00"),
    ("IP_ADDRESS", "2001:db8::8a2e:370:7334"),
    ("IP_ADDRESS", "203[.]0[.]113[.]7"),
    ("IP_ADDRESS", "203。0。113。7"),
    ("US_SSN", "219–09–4321"),
    ("US_SSN", "219_09_4321"),
    ("CN_PASSPORT", "G 12345678"),
    ("CN_LICENSE_PLATE", "京a12345"),
    ("WECHAT_ID", "wxid_a1b2c3d4e5f6g7"),
    ("WECHAT_ID", "tanjun-564"),
    ("WECHAT_ID", "wangfang1990"),
    ("WECHAT_ID", "Fangwang0215"),
    ("WECHAT_ID", "sunny_jie551"),
    ("WECHAT_ID", "wei_cui86"),
    ("WECHAT_ID", "a740948368"),
    ("WECHAT_ID", "v13812345678"),
    ("WECHAT_ID", "li621344"),
    ("ADDRESS", "上海市浦东新区世纪大道100号\n环球金融中心20楼2001室"),
    ("ADDRESS", "广东省深圳市南山区科技园南区\n高新南一道8号A座1203"),
    ("ADDRESS", "北京市/朝阳区/建国路88号/3号楼1201"),
    ("ADDRESS", "12 Baker Street\nLondon\nNW1 6XE"),
    ("ADDRESS", "350 5th Ave, Apt 21B, New York, NY 10118"),
]
AROUND = [
    "{}",
    "我的是{}谢谢",
    "😀{}😀",
    "<td>{}</td>",
    "“{}”",
    "请记:{}!!",
    '"v":"{}",',
    "`{}`",
    "{}.",
    "\u200b{}\u200b",
    "的{}的",
]
HARMLESS = """
订单号4111111111111111
运单号SF1381234567890
快递单号13812345678
积分13812345678分
金额13812345678元
￥13,812,345.67
2024-05-18 13:45:56
20240518134556
周一至周五 09:00—18:00
9:00-21:00
版本1.2.3.4
127.0.0.1
IMEI 490154203237518
ISBN 978-7-111-12345-6
6901234567892
统一社会信用代码91110108551385082Q
12:34:56:78
MAC 00:1A:2B:3C:4D:5E
取件码 12-3-4567
QQ群 123 456 789
一、二、三、四、五、六、七、八、九、十、十一
1、2、3、4、5、6、7、8、9、10、11
logo@2x.png
@everyone
tracking 1Z999AA10123456784
Order #112-2345678-9012345
case 212-555-0187
part no. 212-555-0187
1,234,567,890
open 10am-10pm Mon-Sun
at 10:12 Baker Street is closed
coupon SAVE-2024-1234
用户名tanjun-564登录不了
我的账号zhouxin1993被冻结了
昵称lucky_mei724改不了
会员名sunny_jie551查不到积分
货号wangli-204
型号tanhui-884的配件
激活码chenyu-507无效
WiFi密码wangfang1990
服务器名 li_wei88
huawei-2024款手机多少钱
nike-270码还有吗
shanghai2010纪念款
panda-200公仔有吗
TANJUN-564
货号a740948368
商品编号li621344
SKU a740948368
A740948368
运单号yt13812345678
my username is tanjun-564
tanjun-564 is my username
wangfang1990 on Instagram
@wangfang1990
order linwei-2024 is late
linen-300 fabric in stock?
house-200 plan
photo_lin2024 would not open
http://shop.example/wangfang1990
"""


@pytest.fixture(scope="session")
def detector() -> Detector:
    return Detector()


def leaked(detector: Detector, text: str, value: str) -> str:
    """Return the letters and digits of `value` that no finding in `text` covers."""
    start = text.index(value)
    hidden = {at for finding in detector.find(text) for at in range(finding.start, finding.end)}
    return "".join(text[at] for at in range(start, start + len(value)) if text[at].isalnum() and at not in hidden)


@pytest.mark.parametrize(("entity", "value"), DISGUISED)
def test_nothing_of_a_disguised_datum_leaks_whatever_it_touches(detector: Detector, entity: str, value: str) -> None:
    assert entity in {finding.entity for finding in detector.find(value)}
    for around in AROUND:
        text = around.replace("{}", value)
        assert leaked(detector, text, value) == "", text


@pytest.mark.parametrize("text", HARMLESS.strip().split("\n"))
def test_numbers_and_names_of_things_stay(detector: Detector, text: str) -> None:
    assert [text[finding.start : finding.end] for finding in detector.find(text)] == []


def test_two_landlines_in_a_row_are_no_card(detector: Detector) -> None:
    text = "010-62345678，010-62345678"
    assert [finding.entity for finding in detector.find(text)] == ["CN_LANDLINE", "CN_LANDLINE"]


GLUE = st.text("的了吗是我😀🎉，。！？（）“”<>【】→\n", max_size=6)


@settings(max_examples=150, deadline=None)
@given(st.sampled_from([one for one in DISGUISED if one[0] not in ("ADDRESS", "PERSON")]), GLUE, GLUE)
def test_a_datum_is_hidden_between_any_signs(detector: Detector, one: tuple[str, str], before: str, after: str) -> None:
    assert leaked(detector, before + one[1] + after, one[1]) == ""
