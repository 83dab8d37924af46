"""How people give a WeChat id, an American phone, an SSN or a Chinese landline, in many words; `{}` is the value."""

import itertools

import pytest

from guardrails.personal_data.recognizers.address_en import AddressEn
from guardrails.personal_data.recognizers.cn_landline import CnLandline
from guardrails.personal_data.recognizers.us_phone import UsPhone
from guardrails.personal_data.recognizers.us_ssn import UsSsn
from guardrails.personal_data.recognizers.wechat_id import WechatId
from tests.guardrails.recognizers.support import found

WECHAT_IDS = ("li_wei88", "zhouxin1993", "wu204816", "chenyu-507", "a730215846", "Haoran2291", "moon_tingting304")
WECHAT = """
微信{}
微信：{}
微信号 {}
微信号是{}
我微信号就是{}，随时找我
微信ID：{}
微信id是{}谢谢
我的微信账号是{}
微信号码：{}
微信搜{}就能找到我
微信里搜一下{}，头像是只猫
微信搜索 {} 加我
加微信 {} 聊
加我微信：{}
麻烦加一下我微信，{}
加个微信吧，我的是{}
加一下微信好吗？号是{}
你加我吧：{}
加我{}就行
加我好友 {} 备注订单
加好友的话搜 {}
通讯录里添加{}就可以
加V{}
加v：{}
+V {}
➕V：{}
加我V {}
加我vx {}
vx{}
VX：{}
vx号{}
wx：{}
WX号：{}
我wx是{}
V信：{}
v信号{}
薇信{}
薇信：{}
威信号{}
徽信 {}
維信：{}
微信號：{}
我嘅微信係{}
我的微信帳號是 {}
WeChat：{}
weixin: {}
wei xin: {}
加薇 {}
加威：{}
加微{}
微：{}
薇：{}
v：{}
V：{} 备注退货
绿泡泡：{}
绿泡泡搜{}
💚：{}
手机打不通就微信联系，{}
微信和手机不是一个号，微信是{}
手机号不是微信，微信另外一个：{}
我的微信绑定的是{}
绑定的微信{}能改吗
把绑定微信换成{}
原来的微信不用了，新的是{}
微信从老号换到{}了
我不用QQ，只有微信，{}
微信/QQ：{}
QQ和微信都是{}
微信同QQ：{}
{}，这是我微信
{}是我微信号
{} 这个是我的微信
{}就是我微信
{}（微信）
{}(微信号)
{}，微信，随时在线
{}，加我微信
{}，微信同号
{} 加我
{}，加一下我
{}，可以加我好友
用{}联系我也行，微信上
把截图发到{}这个微信
发我微信上，{}
图片微信发你了，我的号{}
照片太大传不上来，我微信发给你，{}
我在微信上叫{}
客服加我微信一直不通过，我是{}
群主把我踢了，我微信{}，帮我拉回去
师傅说加微信发定位，我的是 {}
收货人微信：{}
联系方式：微信{}
联系方式（微信）：{}
联系人微信 {} 邮箱不常看
姓名：略；微信：{}；备注：无
电话不方便接，微信{}
不方便打电话，请加微信，谢谢：{}
有微信吗？我的{}
你们微信多少？我{}
我老婆的微信是{}，你加她
孩子妈妈微信：{}
发票发到我微信，{}，谢谢
微信名片推给{}
微信号【{}】
微信号“{}”
微信号|{}
微信支付账号{}
退到我微信钱包，{}
微信小程序登录的是{}
微信转账转给{}
微信上我的用户名是{}
微信，用户名{}
在微信里我叫这个：{}
{}，你们客服昨天说要我的微信
{}这个号是我妈的，她只用微信
微信、邮箱、电话都行：{}
我登录用的微信，账号{}
把{}从我账号解绑，那个微信丢了
小程序里绑的还是旧微信，{}，登不上
你们要微信和邮箱：{}，邮箱没有
微信 → {}
微信 = {}
微信——{}
微信号填{}
微信号写的是{}
微信号改成{}了
我的微信号错了，应该是{}
微信号前面没有空格：{}
售后群里我是{}，微信号也是这个
搜不到我的话试试{}，微信的
我的WeChat ID是{}
wechat {}
WeChat: {}
wechat id: {}
WeChat ID is {}
my wechat is {}
My WeChat's {}
My WeChat ID's {}
my wechat handle is {}
my WeChat username is {}
My WeChat account is {}
my WeChat name is {}
our WeChat contact is {}
WeChat - {}
WeChat – {}
WeChat ({})
WeChat = {}
WeChat/Weixin: {}
WeChat or QQ: {}
wechat & line: {}
WeChat me at {}
wechat me: {}
Wechat me on {} please
we chat: {}
we chat id {}
Weixin {}
My Weixin is {}
add me: {}
add me on wechat {}
Add me on WeChat: {}
Add me on WeChat, I'm {}
please add my wechat, {}
Please add {} on WeChat
just add {} on wechat.
find me on WeChat as {}
Find me on WeChat under {}.
You can find me on WeChat, {} is the name
I'm {} on WeChat
I am {} on wechat, same photo
I'm on WeChat as {}
I'm on WeChat: {}
I am on WeChat too, under {}
On WeChat I go by {}
on wechat I use {}
On WeChat it's {}
reach me at {} on WeChat
Reach me on WeChat at {}
contact me via WeChat {}
Contact me via WeChat, my ID there is {}
message me on WeChat ({})
message {} on WeChat when the driver is near
text me on wechat, {}
ping me on WeChat: {}
send it to my WeChat, {}
Send the photos to {} (WeChat)
You can send the video to {} via WeChat.
{} is my WeChat
{} is my WeChat ID.
{} - that's my WeChat
{} (my WeChat)
{}, that's my wechat
{} on wechat
{} on WeChat, please
search {} on WeChat
search for {} in WeChat
scan the code or search {}
look me up on WeChat: {}
Search WeChat for {}
WeChat search: {}
WeChat works better for me. {}
WeChat is easier, mine is {}
I don't use WhatsApp, only WeChat: {}
No WhatsApp, sorry. WeChat? {}
Is WeChat okay? It's {}
Do you have WeChat? Mine: {}
Let's move to WeChat; I'm {}
The WeChat linked to my account is {}
Link my order to WeChat {}
Change my WeChat from the old one to {}
My old WeChat is gone, the new one is {}
my wechat changed, now {}
I changed my WeChat ID to {}
My WeChat ID was {} before
wrong wechat on file, should be {}
It shows the wrong WeChat. The right one: {}
Please update the WeChat field to {}
WeChat field: {}
Can your China team add me? My WeChat: {}
Your agent in Shenzhen asked for my WeChat, so here you go: {}
The supplier's WeChat is {}
my husband's WeChat is {}
his wechat: {}
her WeChat ID, {}, is not found
Tel: n/a, WeChat: {}, Line: none
Email bounced. WeChat {} works.
phone is broken so wechat only, id {}
VX: {}
vx {}
my vx is {}
wx: {}
wechat→{}
WeChat “{}”
WeChat ID:|{}
@{} on WeChat
WeChat: @{}
WeChat/{}
WeChat/QQ/{}
{}/13 on WeChat
Refund it to my WeChat Pay, {}
I paid with WeChat Pay ({})
WeChat Pay account {}
the WeChat payment came from {}
your mini program on WeChat shows {}
if you want to add me, {} is the name
{} - please add me
On WeChat my username is {}
WeChat, user {}
WeChat user name: {}
I log in with WeChat, account {}
message user {} on WeChat
{} is the ID that my wife always uses on WeChat
Message {}, I am always on WeChat
Please unlink {} from my account, I lost that WeChat
Your app shows {} as my WeChat
You asked for WeChat, email and phone: {}, none, none
phone, email, wechat in that order: none, none, {}
I only have WeChat and Line, so try {}
My agent in China is {}, she only uses WeChat
Search {}, the photo is a cat. WeChat only
If the driver is lost he can send a pin on WeChat, I'm there all day, just look for {}
I placed the order through WeChat. It was under {}
add {} please
message {} for the photos
contact {} directly
my wechat (not whatsapp!) is {}
Same as my WeChat, {}
WeChat on this order: {}
WeChat for the parcel: {}
The WeChat for my order should be {}
wechat for the invoice is {}
WC: {}
my 微信 is {}
WeChat (微信): {}
weixin hao is {}
| WeChat | {} |
**WeChat:** {}
"wechat": "{}"
wechat_id={}
<td>WeChat</td><td>{}</td>
WeChat 👉 {}
WeChat——{}
WeChat (same as my Instagram): {}
my WeChat and Instagram are both {}
my Instagram and WeChat are both {}
{}|That's my WeChat.
Here's my WeChat|{}
If WeChat is easier for your team, it's {} there.
hit me up on wechat {}
voice message on WeChat to {}
forward it to {} over WeChat
my wife's on WeChat as {}
the courier can WeChat me: {}
Have the driver add {}
tell your colleague to add {}
your agent never accepted my WeChat request, I'm {}
I sent you a friend request from {}
friend request from {} was declined
it was me, {}, who wrote to you on WeChat
text {} when you are near
please invite {} to the group
Your colleague with the ID {} wrote to me and asked for a deposit, is that really somebody of yours on WeChat
QR code expired, use {}, it is WeChat
link {} as my WeChat
Your sales rep has me as {} in her contacts
Could Lily accept my request? I'm {} there
I'm in the VIP group as {}
Your courier added me as {}
Is {} really your employee? They wrote to me on WeChat asking for a deposit.
The leaflet in the parcel says add {} on WeChat for a voucher
if the line drops, {} on WeChat
registered under WeChat {}
put my WeChat {} on the label
the form wants a WeChat ID so {}
wchat: {}
wecaht {}
weichat id {}
{} will find me on WeChat
{} is how you find me on WeChat
my id is {} if you have WeChat
I'm travelling in China next week; WeChat is the only thing that works there. You can reach me under {}
"""  # fmt: skip
NOT_WECHAT = """
我的用户名是li_wei88，登录不上
用户名：zhouxin1993
登录账号zhouxin1993密码忘了
会员名wu204816查不到积分
昵称改成moon_ting304了
淘宝账号li_wei88下的单
我微博是li_wei88
抖音号chenyu_507发的视频
QQ邮箱zhouxin1993@qq.com
优惠码happy_2024用不了，微信里领的
微信里领的优惠码happy_2024过期了
兑换码spring_2025在微信公众号领的
微信支付提示err_10086
微信支付单号wx20240501abc
微信小程序版本build_2024打不开
微信公众号kefu_2020没人回
微信转账给你们了
微信版本8.0.47
型号v8pro2024有货吗
加V8引擎的模型多少钱
V领的毛衣有吗
加微波炉一起买
加我购物车里了
加我一个名额
请加我优惠
订单li_20240501用微信付的
文件photo_2024发微信了
设备router_5g连不上
wifi名home_2024密码多少
网址shop_home.html打不开
我在微信上下的单
微信登录不了
微信扫码没反应
微信群在哪里
微信头像怎么换
你们有微信吗
加微信好友没通过
链接https://wx.example.com/pay_2024
型号wx-100和wx-200
wxpython怎么装
微信在macbook2020上闪退
微信里iphone15pro收不到
my username is sunny_day7
username: zhouxin1993
I log in as wu204816
my login moon_ting304 is locked
My Instagram is sunny_day7
find me on Telegram as sunny_day7
Skype: live_chen507
GitHub user li_wei88
coupon happy_2024 fails
promo code welcome15now is invalid on WeChat
The code spring_2025 from your WeChat account expired
WeChat Pay error err_10086
WeChat Pay transaction wx20240501abc
your WeChat official account kefu_2020 is silent
your WeChat mini program build_2024 crashes
WeChat is down
https://u.wechat.com/li_wei88x
weixin.qq.com/li_wei88
is WeChat supported?
WeChat login fails on my iphone15pro
WeChat on windows11 freezes
the file photo_2024 would not open in WeChat
we chatted yesterday about order_2024
add me to the waiting list
add two more, please
add happy_2024 to my cart
contact support_team please
find me a cheaper one
my WeChat ID is wrong
my wechat is broken
my wechat is not working
Please scan the label
wax-based candle, vx-free
order ab_12345 paid with WeChat
Wi-Fi network home_2024
host db_server01 is unreachable
the model xps13plus9320
mail me at li_wei88@example.com about WeChat
add li_wei88 to my cart
link: li_wei88.html on WeChat
search for user_test in the WeChat log
the request id_2024_x1 failed
I saved order_2024 as a draft
"""  # fmt: skip

US_NUMBERS = ("2124567890", "(415) 555-2671", "646.555.0132", "+1 312 555 0147", "1-718-555-0163", "7185550163")
PHONE = """
call {}
Call me at {} please
call me on {} after six
you can call {} any time
please call back, {}
I missed a call from you, my number is {}
text {}
text me at {} instead
Texts to {} only
sms {}
cell {}
cell: {}
cell is {}
my cell's {}
mobile {}
Mobile no. {}
tel {}
Tel.: {}
phone: {}
phone number is {}
phone number: {}
My phone number changed to {}
the phone on file should be {}
Best number to reach me is {}
best number: {}
Reach me at {}
I can be reached at {}
you can reach my wife at {}
contact: {}
Contact number {}
contact number for the order: {}
callback number {}
voicemail is full, try {}
leave a voicemail at {}
work {}
Work: {}
home phone {}
landline is {}
fax {}
Fax: {}
WhatsApp {}
I'm on WhatsApp, {}
iMessage or WhatsApp at {}
M: {}
P: {}
T: {} E: none
dial {}
try {}, it's my mobile
the number is {}
number's {}
the number you have is old, use {}
old number {}, please delete it
new number, {}
my new number: {}
change my number from the old one to {}
update my phone to {}
wrong phone, it should be {}
the SMS never arrived at {}
the verification code goes to {}
alerts should go to {} from now on
the driver should ring {}
have the driver call {} when downstairs
emergency contact is my dad, {}
nobody picks up, so call my office at {}
{} is my number
{} is my cell
{} is my new phone number
{} (cell)
{} (mobile)
{}, that's my cell
{} - my work number
{}, call anytime
{}, text only
{} is the best number
{} is a landline
the driver can reach me on {}
电话{}
电话：{}
我的电话是{}
手机：{}
美国手机{}
美国电话 {}
美国号码是{}
美国号{}
我在美国，{}，有事打这个
我人在国外，号码{}
国外的号码：{}
加拿大号码 {}
打{}
请打{}找我
打我美国的号{}
拨{}
回电{}
短信发到{}
验证码发到{}收不到
联系电话：{}
联系方式{}
转运仓的联系电话是{}
收件人在美国，电话{}
{}是我美国号码
{}这个是我美国电话
{}，打这个电话
{}（美国手机）
手机号换成{}了
新号{}
旧号码{}停用了
WhatsApp是{}
"""  # fmt: skip
NOT_PHONE = """
order 2124567890
order number 2124567890
order no. 2124567890
Order #2124567890 is late
my order, 2124567890, is late
tracking 2124567890
tracking number is 2124567890
parcel 7185550163 is lost
invoice 2124567890
case number 2124567890
Your ticket 2124567890 was closed
account 2124567890
account number 2124567890
the confirmation number is 2124567890
serial 2124567890
UPC 2124567890
membership 2124567890
I called about order 2124567890
you texted me about parcel 2124567890
the phone is SKU 2124567890
the number on the invoice: 2124567890
订单2124567890
订单号：2124567890
单号2124567890
运单号是2124567890
打电话问过订单2124567890
手机的型号2124567890
账号2124567890登录不了
会员编号2124567890
1.800.555.0199 is always busy
call 888-555-0199
it costs 2124567890 yen
112-2345678-9012345
"""  # fmt: skip

SSNS = ("219-09-4321", "219 09 4321")
SSN = """
SSN {}
my ssn is {}
my SSN: {}
SSN# {}
SS# {}
ss number {}
social {}
my social is {}
my social's {}
Social security no. {}
social security number: {}
soc sec {}
for the credit check my social is {}
you need my social? {}
they wanted the social security card, number {}
my number is {}, the social security one
last four? the whole thing is {}
tax ID {}
my TIN is {}
ITIN {}
W-9 says {}
{} is my SSN
{} is my social
{} (SSN)
{}, that's my social
SSN是{}
SSN填{}
社安号{}
社会安全号码：{}
我的社安号码是{}
美国社保号{}
美国税号 {}
{}是我的SSN
"""  # fmt: skip
PLAIN_SSN = ("SSN 219094321", "my social is 219094321", "social security number: 219094321", "社安号219094321")
NOT_SSN = """
219094321
order 219 09 4321
tracking 219 09 4321
social media ticket 219094321
the social network shows 219094321 likes
on 2024-09-12
219-094-321
000-09-4321
"""  # fmt: skip

LANDLINES = ("0571-86543210", "(021)65432100", "+86 755 8654 3210", "010 65432100")
LANDLINE = """
landline {}
our China office: {}
call the Hangzhou office on {}
Shanghai desk {}, ext. none
Their number in Beijing is {}.
please ring {} (China)
fax {}
座机{}
公司电话{}转人事部
"""  # fmt: skip
NOT_LANDLINE = """
your line 0800 555 0199 is dead
I rang 0345 600 1234 twice
0844 856 7890 costs a fortune
London shop 020 7946 0958
my UK number is 0330 678 1234
call Cardiff on 029 2018 0123
my NZ mobile is 021 555 1234
0871 234 5678 is a dear number
order 0571-86543210
ref 057186543210
parcel 9400 1687 0973 6671 6159 23
it says 9400 1469 0440 7095 1549 54
"""  # fmt: skip

POSTCODES = ("90210", "SW1A 1AA", "10001-1234")
POSTCODE = """
my zip is {}
ZIP {}
zip code: {}
ZIP code {} please
postal code {}
Postal code is {}
postcode {}
Post code: {}
change the zip code to {}
The postcode on my order should be {}
zip code ({})
邮编{}
邮编是{}
do you deliver to {}
shipping to {} costs how much
"""  # fmt: skip
NOT_POSTCODE = """
open the zip file 90210
order 90210
the ZIP archive has 90210 entries
unzip 90210
deliver to 90210 customers a day
I scored 90210 points
"""  # fmt: skip


def lines(table: str) -> list[str]:
    """Return the phrases of a table; `|` stands for a line break."""
    return [line.replace("|", "\n") for line in table.strip().split("\n")]


def filled(table: str, values: tuple[str, ...]) -> list[tuple[str, str]]:
    """Return each phrase with one of the values, in turn."""
    return [(line.format(value), value) for line, value in zip(lines(table), itertools.cycle(values), strict=False)]


@pytest.mark.parametrize(("text", "value"), filled(WECHAT, WECHAT_IDS) + filled(WECHAT, WECHAT_IDS[3:]))
def test_finds_a_wechat_id_however_it_is_given(text: str, value: str) -> None:
    assert set(found(WechatId(), text)) == {value}


@pytest.mark.parametrize("text", lines(NOT_WECHAT))
def test_leaves_other_names_codes_and_files(text: str) -> None:
    assert found(WechatId(), text) == []


@pytest.mark.parametrize(("text", "value"), filled(PHONE, US_NUMBERS[:1]) + filled(PHONE, US_NUMBERS))
def test_finds_an_american_phone_however_it_is_given(text: str, value: str) -> None:
    assert found(UsPhone(), text) == [value]


@pytest.mark.parametrize("text", lines(NOT_PHONE))
def test_leaves_ten_digits_of_something_else(text: str) -> None:
    assert found(UsPhone(), text) == []


@pytest.mark.parametrize(("text", "value"), filled(SSN, SSNS) + filled(SSN, SSNS[1:]))
def test_finds_an_ssn_however_it_is_given(text: str, value: str) -> None:
    assert found(UsSsn(), text) == [value]


@pytest.mark.parametrize("text", PLAIN_SSN)
def test_finds_nine_digits_that_are_called_an_ssn(text: str) -> None:
    assert found(UsSsn(), text) == ["219094321"]


@pytest.mark.parametrize("text", lines(NOT_SSN))
def test_leaves_nine_digits_of_something_else(text: str) -> None:
    assert found(UsSsn(), text) == []


@pytest.mark.parametrize(("text", "value"), filled(LANDLINE, LANDLINES) + filled(LANDLINE, LANDLINES[1:]))
def test_finds_a_chinese_landline_in_any_language(text: str, value: str) -> None:
    assert [one.split("转")[0] for one in found(CnLandline(), text)] == [value]


@pytest.mark.parametrize("text", lines(NOT_LANDLINE))
def test_leaves_lines_of_other_countries_and_references(text: str) -> None:
    assert found(CnLandline(), text) == []


@pytest.mark.parametrize(("text", "value"), filled(POSTCODE, POSTCODES) + filled(POSTCODE, POSTCODES[1:]))
def test_finds_a_postcode_that_the_text_calls_one(text: str, value: str) -> None:
    assert found(AddressEn(), text) == [value]


@pytest.mark.parametrize("text", lines(NOT_POSTCODE))
def test_leaves_numbers_that_are_no_postcodes(text: str) -> None:
    assert found(AddressEn(), text) == []
