import pytest

from guardrails.personal_data.recognizers.email import Email
from tests.guardrails.recognizers.support import found

FOUND = [
    ("我的邮箱是zhangsan@qq.com谢谢", "zhangsan@qq.com"),
    ("发到li.wei+shop@mail.example.co.uk。", "li.wei+shop@mail.example.co.uk"),
    ("zhang_88＠163．com", "zhang_88＠163．com"),
    ("<anna@example.com>", "anna@example.com"),
    ("Email:ANNA@EXAMPLE.COM;", "ANNA@EXAMPLE.COM"),
    ("write to me@example.com.", "me@example.com"),
    ("13812345678@139.com", "13812345678@139.com"),
    ("一个a-b@x-y.cn两个", "a-b@x-y.cn"),
    ("o'neil@example.ie", "o'neil@example.ie"),
    ("邮箱：\nanna@example.com\n", "anna@example.com"),
    ("找我name%40qq.com吧", "name%40qq.com"),
    ("li_wei (at) example.com", "li_wei (at) example.com"),
    ("anna [at] mail [dot] example [dot] org", "anna [at] mail [dot] example [dot] org"),
    ("anna at gmail dot com please", "anna at gmail dot com"),
    ("wang88艾特qq点com", "wang88艾特qq点com"),
    ("zhangsan@qq。com", "zhangsan@qq。com"),
    ("anna@\nexample.com", "anna@\nexample.com"),
    ("wang88 @ 163.com", "wang88 @ 163.com"),
    ("müller@exämple.de", "müller@exämple.de"),
    ("'anna@example.com'", "anna@example.com"),
]
LEFT = [
    "logo@2x.png",
    "@kefu",
    "user@localhost",
    "a@b",
    "see you @ home",
    "npm i kefu@1.2.3",
    "anna@.com",
    "anna@example",
    "价格@100元",
    "look at example.com please",
    "meet at noon dot",
    "see page at shop.com now",
    "100%40.com",
]


@pytest.mark.parametrize(("text", "value"), FOUND)
def test_finds_an_address_whatever_it_touches(text: str, value: str) -> None:
    assert found(Email(), text) == [value]


@pytest.mark.parametrize("text", LEFT)
def test_leaves_what_only_looks_like_an_address(text: str) -> None:
    assert found(Email(), text) == []
