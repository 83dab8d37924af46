"""Invented tables and questions to their cells, with questions that they do not answer. Knows nothing of models."""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from knowledge.chunking import row_text

Dice = random.Random


@dataclass(frozen=True)
class Column:
    """What a cell may hold in each language, and how customers ask for it; `{}` is the row."""

    names: tuple[str, str]
    value: Callable[[Dice], tuple[str, str]]
    zh: tuple[str, ...]
    en: tuple[str, ...]


@dataclass(frozen=True)
class Asked:
    """A question to a list of (title, row) and the positions that answer it, none if nothing does."""

    question: str
    units: tuple[tuple[str, str], ...]
    right: tuple[int, ...]


def _column(names: str, value: Callable[[Dice], tuple[str, str]], zh: str, en: str) -> Column:
    chinese, english = names.split("|")
    return Column((chinese, english), value, tuple(zh.split("|")), tuple(en.split("|")))


def _number(low: int, high: int, step: int, zh: str, en: str) -> Callable[[Dice], tuple[str, str]]:
    def value(dice: Dice) -> tuple[str, str]:
        number = dice.randrange(low, high, step)
        return zh.format(number), en.format(number)

    return value


def _one_of(values: str) -> Callable[[Dice], tuple[str, str]]:
    pairs = [tuple(one.split("=")) for one in values.split("|")]
    return lambda dice: dice.choice(pairs)  # type: ignore[return-value]


def _hours(dice: Dice) -> tuple[str, str]:
    text = f"{dice.randrange(7, 12)}:{dice.choice(('00', '30'))}–{dice.randrange(17, 23)}:{dice.choice(('00', '30'))}"
    return text, text


def _days(dice: Dice) -> tuple[str, str]:
    low = dice.randrange(1, 12)
    high = low + dice.randrange(1, 6)
    return f"{low}–{high}天", f"{low}–{high} days"


PRICE = _column(
    "价格|Price",
    _number(19, 2000, 10, "{}元", "¥{}"),
    "{}多少钱|{}卖多少|{}什么价位|买{}要花多少|{}贵不贵",
    "How much is the {}?|price of {}|What does the {} cost?|what would I pay for the {}",
)
PRODUCT = (
    PRICE,
    _column(
        "重量|Weight",
        _number(80, 4000, 15, "{}克", "{} g"),
        "{}多重|{}有几克|{}拿着沉吗，具体多少|一个{}的重量",
        "How heavy is the {}?|weight of {}|how many grams is the {}",
    ),
    _column(
        "容量|Capacity",
        _number(80, 5000, 20, "{}毫升", "{} ml"),
        "{}能装多少水|{}容量多大|{}有多少毫升",
        "How much does the {} hold?|capacity of the {}|how many millilitres fit in the {}",
    ),
    _column(
        "功率|Power",
        _number(200, 2500, 50, "{}瓦", "{} W"),
        "{}功率多大|{}多少瓦|{}费电吗，几瓦的",
        "How many watts does the {} use?|power of the {}|what is the {} rated at",
    ),
    _column(
        "材质|Material",
        _one_of("棉=cotton|不锈钢=stainless steel|橡木=oak|尼龙=nylon|白瓷=white porcelain|铝=aluminium|羊毛=wool"),
        "{}是什么做的|{}用的什么料|{}什么材质",
        "What is the {} made of?|material of {}|which material is the {}",
    ),
    _column(
        "颜色|Colours",
        _one_of("黑、灰=black, grey|红、蓝=red, blue|米白=off-white|墨绿、橙=dark green, orange"),
        "{}有哪些颜色|{}有没有红的|{}能选什么色",
        "What colours does the {} come in?|does the {} exist in red|colour choices for {}",
    ),
    _column(
        "尺寸|Size",
        lambda dice: (lambda a, b: (f"{a}×{b}厘米", f"{a} × {b} cm"))(dice.randrange(10, 120), dice.randrange(5, 80)),
        "{}多大|{}的长宽|{}放得下吗，尺寸是多少",
        "How big is the {}?|dimensions of the {}|what does the {} measure",
    ),
    _column(
        "保修|Warranty",
        _number(3, 61, 3, "{}个月", "{} months"),
        "{}保修多久|{}坏了一年后还管吗|{}质保几个月",
        "How long is the {} under warranty?|guarantee on the {}|is the {} still covered after a year",
    ),
    _column(
        "续航|Battery life",
        _number(2, 72, 1, "{}小时", "{} hours"),
        "{}充一次能用多久|{}续航几小时|{}电池撑得住一天吗",
        "How long does the {} run on a charge?|battery life of {}|how many hours does the {} last",
    ),
    _column(
        "噪音|Noise",
        _number(20, 80, 1, "{}分贝", "{} dB"),
        "{}吵不吵|{}多少分贝|{}晚上用声音大吗",
        "How loud is the {}?|decibels of {}|is the {} noisy",
    ),
    _column(
        "产地|Origin",
        _one_of("福建=Fujian|意大利=Italy|越南=Vietnam|浙江=Zhejiang|波兰=Poland"),
        "{}是哪里产的|{}产地|{}是国产的吗",
        "Where is the {} made?|country of origin of the {}|is the {} made in Europe",
    ),
    _column(
        "承重|Maximum load",
        _number(5, 200, 5, "{}千克", "{} kg"),
        "{}能承多重|{}最多放多少公斤|胖一点的人用{}行吗",
        "How much weight can the {} take?|maximum load of the {}",
    ),
    _column(
        "洗碗机|Dishwasher",
        _one_of("可以=yes|不可以=no|只限上层=top rack only"),
        "{}能进洗碗机吗|{}可以机器洗吗",
        "Is the {} dishwasher-safe?|can i put the {} in the dishwasher",
    ),
    _column(
        "适用温度|Temperature",
        _number(-25, 15, 1, "{}℃", "{} °C"),
        "{}多冷能用|{}零下几度撑得住|冬天用{}行吗",
        "How cold can it get with the {}?|lowest temperature for {}",
    ),
    _column(
        "库存|Stock",
        _one_of("有货=in stock|缺货=sold out|月底到货=back at the end of the month"),
        "{}有货吗|{}现在能买到吗|{}什么时候补货",
        "Is the {} in stock?|when will the {} be back",
    ),
    _column(
        "适用年龄|Age",
        _number(1, 16, 1, "{}岁以上", "from {} years"),
        "{}几岁能用|孩子五岁能玩{}吗",
        "From what age is the {}?|is the {} ok for my 5-year-old",
    ),
    _column(
        "防水|Waterproofing",
        _one_of("IPX4=IPX4|IP67=IP67|不防水=not waterproof|3000毫米=3,000 mm"),
        "{}防水吗|{}能淋雨吗|{}防水等级",
        "Is the {} waterproof?|can the {} get wet|water rating of {}",
    ),
)
REPAIR = (
    _column(
        "价格|Price",
        _number(10, 400, 5, "{}元", "¥{}"),
        "{}多少钱|{}收多少|{}要花多少|{}怎么收费",
        "How much is {}?|price for {}|What do you charge for {}?",
    ),
    _column(
        "时间|Time",
        _number(1, 30, 1, "{}个工作日", "{} working days"),
        "{}要几天|{}多久能好|{}什么时候能拿回来",
        "How long does {} take?|when is {} ready|days for {}",
    ),
    _column(
        "地点|Where",
        _one_of("门店=shop|工坊=workshop|返厂=factory"),
        "{}在哪做|{}要寄到哪",
        "Where is {} done?|do you do {} in the shop",
    ),
    _column(
        "保修|Guarantee",
        _number(1, 24, 1, "{}个月", "{} months"),
        "{}之后保多久|{}做完又坏了还管吗",
        "Is there a guarantee on {}?|how long do you guarantee {}",
    ),
)
REGION = (
    _column(
        "运费|Fee",
        _number(5, 200, 1, "{}元", "¥{}"),
        "寄到{}多少钱|{}的邮费|往{}发快递收多少|我在{}，运费怎么算",
        "Delivery fee to {}?|how much is postage to {}|What do you charge to ship to {}?",
    ),
    _column(
        "包邮门槛|Free from",
        _number(49, 999, 10, "满{}元", "¥{}"),
        "{}买多少包邮|到{}满多少免运费|寄{}怎么才能不要邮费",
        "When is shipping to {} free?|free delivery to {} from what amount",
    ),
    _column(
        "时效|Delivery time",
        _days,
        "{}几天能到|发到{}多久|寄{}要等几天",
        "How long does delivery to {} take?|days to {}|when would it arrive in {}",
    ),
    _column(
        "限重|Weight limit",
        _number(5, 50, 1, "{}公斤", "{} kg"),
        "寄{}最重多少|{}的包裹限重多少",
        "How heavy may a parcel to {} be?|weight limit to {}",
    ),
    _column(
        "快递公司|Carrier",
        _one_of("顺路快递=Swiftway|邮政=Post|海风物流=Seabreeze"),
        "{}发什么快递|寄{}走哪家快递",
        "Which carrier delivers in {}?|who brings it to {}",
    ),
)
STORE = (
    _column(
        "平日|Weekdays",
        _hours,
        "{}周三几点开门|{}平时开到几点|星期二晚上{}营业到几点",
        "What time does {} open on a Tuesday?|{} hours on weekdays|when does {} close on Thursday",
    ),
    _column(
        "周末|Weekends",
        _hours,
        "{}周六几点关门|礼拜天{}几点开|{}周末营业时间",
        "When does {} close on Saturdays?|is {} open on sunday|{} weekend hours",
    ),
    _column(
        "电话|Phone",
        _number(10000000, 99999999, 7, "0{}", "0{}"),
        "{}的电话|怎么打给{}|{}联系方式",
        "phone number of {}|How can I ring {}?",
    ),
    _column(
        "停车|Parking",
        _one_of("免费两小时=two hours free|每小时6元=¥6 an hour|没有车位=no parking|消费满100元免费=free above ¥100"),
        "{}能停车吗|开车去{}停哪儿要钱吗|{}停车费",
        "Can I park at {}?|parking at {}|do I pay for parking at {}",
    ),
    _column(
        "地铁|Metro",
        _one_of("3号线A口=line 3 exit A|1号线C口=line 1 exit C|没有地铁=none"),
        "{}坐地铁怎么去|{}离哪个地铁口近",
        "Which metro exit for {}?|how do I get to {} by metro",
    ),
    _column(
        "楼层|Floor",
        _one_of("一层=ground floor|二层=first floor|负一层=basement"),
        "{}在几楼",
        "Which floor is {} on?",
    ),
    _column(
        "休息日|Closed",
        _one_of("周一=Mondays|无=never|周二=Tuesdays"),
        "{}哪天不开|{}周几休息",
        "Which day is {} closed?|is {} ever closed",
    ),
    _column("无线网|Wi-Fi", _one_of("有=yes|没有=no"), "{}有无线网吗|在{}能上网吗", "Is there wifi at {}?"),
)
COURSE = (
    _column(
        "时间|When",
        _one_of("每周六10:00=Saturdays 10:00|每周三19:00=Wednesdays 19:00|每月第一个周日=first Sunday of the month"),
        "{}什么时候上|{}哪天有|{}几点开始",
        "When is {}?|what day is {}|start time of {}",
    ),
    _column(
        "时长|Length",
        _number(30, 240, 15, "{}分钟", "{} minutes"),
        "{}上多久|{}一节多长时间",
        "How long is {}?|duration of {}",
    ),
    _column(
        "人数|Group size",
        _number(3, 30, 1, "{}人", "{} people"),
        "{}一班几个人|{}最多收多少人",
        "How many people are in {}?|group size for {}",
    ),
    _column(
        "费用|Fee",
        _number(30, 2000, 10, "{}元", "¥{}"),
        "{}多少钱|报{}要交多少|{}一次收多少",
        "What does {} cost?|fee for {}|how much do i pay for {}",
    ),
    _column(
        "最小年龄|From age",
        _number(4, 18, 1, "{}岁", "{}"),
        "{}几岁能报|孩子六岁能上{}吗",
        "How old must one be for {}?|can my six-year-old join {}",
    ),
    _column(
        "老师|Teacher",
        _one_of("林老师=Ms Lin|马可=Marco|苏珊=Susan"),
        "{}是谁教|{}老师是谁",
        "Who teaches {}?|who is the teacher of {}",
    ),
    _column(
        "地点|Place",
        _one_of("二楼教室=room on the 2nd floor|河边工坊=riverside workshop|主店=main shop"),
        "{}在哪上|{}去哪里上课",
        "Where is {} held?|where do i go for {}",
    ),
    _column(
        "材料|Materials",
        _one_of("含=included|自备=bring your own|另收30元=¥30 extra"),
        "{}材料要自己带吗|{}的费用包材料吗",
        "Are materials included in {}?|do I bring my own material to {}",
    ),
)
LEVEL = (
    _column(
        "年消费|Spend a year",
        _number(300, 9000, 100, "满{}元", "¥{}"),
        "怎么升到{}|{}要消费多少|一年花多少钱能当{}",
        "What do I spend to become {}?|how do i get to {} level",
    ),
    _column(
        "折扣|Discount",
        _one_of("95折=5% off|9折=10% off|88折=12% off|无=none"),
        "{}打几折|{}有什么优惠|{}买东西便宜多少",
        "What discount does {} get?|how much cheaper is it for {} members",
    ),
    _column(
        "积分|Points",
        _one_of("1元1分=1 point per ¥1|1元1.5分=1.5 points per ¥1|1元2分=2 points per ¥1"),
        "{}花一块钱积几分|{}积分怎么算",
        "How many points do {} members earn?|points for {}",
    ),
    _column(
        "生日礼|Birthday",
        _one_of("20元券=¥20 voucher|礼盒=gift box|无=none"),
        "{}过生日送什么|{}生日有礼物吗",
        "What do {} members get for their birthday?",
    ),
    _column(
        "退货期|Return period", _number(7, 60, 1, "{}天", "{} days"), "{}退货能多几天", "Return period for {} members?"
    ),
    _column(
        "专属客服|Own hotline",
        _one_of("有=yes|无=no"),
        "{}有专门的客服吗",
        "Do {} members have a hotline of their own?",
    ),
)
ROOM = (
    _column(
        "人数|People",
        lambda dice: (lambda a: (f"{a}–{a + 3}人", f"{a}–{a + 3}"))(dice.randrange(1, 12)),
        "{}坐几个人|{}最多几位",
        "How many people fit in {}?",
    ),
    _column(
        "平日|Weekday",
        _number(40, 400, 2, "{}元/小时", "¥{} an hour"),
        "{}周二一小时多少|{}平日价",
        "What is {} an hour on a Tuesday?|weekday price of {}",
    ),
    _column(
        "周末|Weekend",
        _number(60, 600, 2, "{}元/小时", "¥{} an hour"),
        "{}周六一小时多少钱|周日订{}什么价",
        "What is {} on a Saturday?|weekend rate for {}",
    ),
    _column(
        "低消|Minimum",
        _number(100, 900, 10, "{}元", "¥{}"),
        "{}最低消费|在{}至少要花多少",
        "Minimum spend in {}?|what must we spend in {}",
    ),
    _column(
        "投影|Projector",
        _one_of("有=yes|没有=no"),
        "{}有投影吗|{}能放幻灯片吗",
        "Is there a projector in {}?|can we show slides in {}",
    ),
    _column("窗|Window", _one_of("临街=street|靠河=river|无=none"), "{}有窗户吗", "Does {} have a window?"),
)

_PRODUCTS = (
    "保温杯=thermos|电热毯=heating blanket|登山包=rucksack|台灯=desk lamp|蓝牙音箱=Bluetooth speaker"
    "|砂锅=clay pot|折叠椅=folding chair|雨衣=raincoat|毛毯=wool blanket|电饭煲=rice cooker|吹风机=hair dryer"
    "|行李箱=suitcase|书架=bookshelf|儿童自行车=kids' bike|瑜伽垫=yoga mat|加湿器=humidifier"
    "|手冲壶=pour-over kettle|围巾=scarf|跑鞋=running shoe|滑板=skateboard|望远镜=telescope|花瓶=vase"
    "|香薰机=aroma diffuser|猫爬架=cat tree|铁锅=iron pan|耳机=headphones|枕头=pillow|剃须刀=shaver"
    "|电动牙刷=electric toothbrush|烤箱=oven"
)
_BRANDS = (
    "晨露=Dawn|北风=Northwind|小鹿=Fawn|灰石=Greystone|云雀=Lark|远山=Farhill|白桦=Birch|海盐=Seasalt"
    "|松果=Pinecone|夜航=Nightsail|星河=Starriver|青苔=Moss"
)
_JOBS = (
    "换拉链=a new zip|换电池=a new battery|补胎=a puncture repair|配钥匙=a key copy|换屏幕=a new screen"
    "|磨刀=knife sharpening|皮包翻新=a handbag refresh|清洗地毯=carpet cleaning|改裤脚=trouser hemming"
    "|换表带=a new watch strap|修雨伞=umbrella repair|换鞋底=resoling|调吉他=a guitar set-up"
    "|洗羽绒服=down jacket cleaning|换轮子=new wheels|修拉杆=a handle repair|给银器抛光=silver polishing"
    "|换灯泡座=a new lamp socket"
)
_PLACES = (
    "北京=Beijing|天津=Tianjin|河北=Hebei|山西=Shanxi|内蒙古=Inner Mongolia|辽宁=Liaoning|吉林=Jilin"
    "|黑龙江=Heilongjiang|上海=Shanghai|江苏=Jiangsu|浙江=Zhejiang|安徽=Anhui|福建=Fujian|江西=Jiangxi"
    "|山东=Shandong|河南=Henan|湖北=Hubei|湖南=Hunan|广东=Guangdong|广西=Guangxi|海南=Hainan|重庆=Chongqing"
    "|四川=Sichuan|贵州=Guizhou|云南=Yunnan|西藏=Tibet|陕西=Shaanxi|甘肃=Gansu|青海=Qinghai|宁夏=Ningxia"
    "|新疆=Xinjiang|香港=Hong Kong|澳门=Macau|台湾=Taiwan|日本=Japan|韩国=South Korea|新加坡=Singapore"
    "|泰国=Thailand|越南=Vietnam|印度=India|法国=France|德国=Germany|英国=the UK|意大利=Italy|西班牙=Spain"
    "|波兰=Poland|瑞士=Switzerland|挪威=Norway|美国=the USA|加拿大=Canada|墨西哥=Mexico|巴西=Brazil"
    "|智利=Chile|埃及=Egypt|南非=South Africa|澳大利亚=Australia|新西兰=New Zealand|土耳其=Turkey"
    "|蒙古=Mongolia|马来西亚=Malaysia|菲律宾=the Philippines|俄罗斯=Russia"
)
_STORES = (
    "南京店=the Nanjing shop|武汉店=the Wuhan shop|大连店=the Dalian shop|昆明店=the Kunming shop"
    "|人民路店=the Renmin Road shop|机场店=the airport shop|大学城店=the campus shop"
    "|老街店=the Old Street shop|青岛店=the Qingdao shop|西安店=the Xi'an shop|湖滨店=the lakeside shop"
    "|火车站店=the station shop|珠海店=the Zhuhai shop"
)
_COURSES = (
    "木工入门=the woodwork course|水彩班=the watercolour class|烘焙课=the baking class"
    "|吉他初级=the beginners' guitar course|急救培训=the first-aid training|编织课=the knitting class"
    "|摄影基础=the photography course|茶艺体验=the tea workshop|游泳班=the swimming course"
    "|书法课=the calligraphy class|陶笛班=the ocarina class|咖啡拉花=the latte art class"
    "|植物染=the plant dyeing workshop|攀岩体验=the climbing trial|调香课=the perfume workshop"
)
_LEVELS = "银卡=Silver|金卡=Gold|黑卡=Black|新芽=Sprout|大树=Tree|学徒=Apprentice|船长=Captain|水手=Sailor|铜牌=Bronze"
_ROOMS = (
    "听松=Pine Room|大会议室=the large meeting room|竹林=Bamboo Room|露台=the terrace|海棠=Crabapple"
    "|小剧场=the small theatre|阁楼=the attic|一号琴房=practice room 1|梅=Plum|荷=Lotus"
)


def _pairs(text: str) -> list[tuple[str, str]]:
    return [(zh, en) for zh, en in (one.split("=") for one in text.split("|"))]


def _goods(dice: Dice, count: int) -> list[tuple[tuple[str, str], tuple[str, str]]]:
    """Rows of products: what stands in the table, and what they are called in a question."""
    kinds = dice.sample(_pairs(_PRODUCTS), max(2, count // 2))
    rows: list[tuple[tuple[str, str], tuple[str, str]]] = []
    letters, number = "".join(dice.choices("ABCDEFGHKLMNPRSTVWX", k=2)), dice.randrange(100, 9900)
    for position in range(count):
        (kind_zh, kind_en), (brand_zh, brand_en) = dice.choice(kinds), dice.choice(_pairs(_BRANDS))
        code = f"{letters}-{number + dice.choice((0, 1, 10)) * position}{dice.choice(('', '', 'A', 'B'))}"
        zh, en = f"{brand_zh}{kind_zh}", f"{brand_en} {kind_en}"
        called = dice.choice(((zh, en), (code, code), (f"{code}{zh}", f"{code} {en}"), (zh, en)))
        rows.append(((f"{code} {zh}", f"{code} {en}"), called))
    return rows


def _plain(names: str, most: int = 1) -> Callable[[Dice, int], list[tuple[tuple[str, str], tuple[str, str]]]]:
    """Rows of names, up to `most` in one row."""

    def rows(dice: Dice, count: int) -> list[tuple[tuple[str, str], tuple[str, str]]]:
        left = dice.sample(_pairs(names), len(_pairs(names)))
        made: list[tuple[tuple[str, str], tuple[str, str]]] = []
        while len(made) < count and left:
            some = [left.pop() for _ in range(min(dice.randint(1, most), len(left)))]
            made.append((("、".join(zh for zh, _ in some), ", ".join(en for _, en in some)), dice.choice(some)))
        return made

    return rows


SCHEMAS: tuple[tuple[tuple[str, str], tuple[str, str], tuple[Column, ...], Callable[..., object]], ...] = (
    (("商品目录|新品|规格表", "Products|Catalogue|Specifications"), ("型号|商品", "Model|Product"), PRODUCT, _goods),
    (("维修价目|服务价目", "Repair prices|Services"), ("项目", "Job"), REPAIR, _plain(_JOBS)),
    (("运费与时效|配送", "Shipping rates|Delivery"), ("地区", "Region"), REGION, _plain(_PLACES, 4)),
    (("门店一览|营业时间", "Our shops|Opening hours"), ("门店", "Shop"), STORE, _plain(_STORES)),
    (("课程表|活动", "Courses|Workshops"), ("课程", "Course"), COURSE, _plain(_COURSES)),
    (("会员等级", "Membership levels"), ("等级", "Level"), LEVEL, _plain(_LEVELS)),
    (("包间价目|场地", "Rooms|Venue hire"), ("房间", "Room"), ROOM, _plain(_ROOMS)),
)


def tables(count: int, seed: int) -> Iterator[Asked]:
    """Questions to `count` invented tables, some with another table beside; a third is answered by no row."""
    dice = Dice(seed)
    for _ in range(count):
        yield from _table(dice)


def _table(dice: Dice) -> Iterator[Asked]:
    titles, first, columns, make = dice.choice(SCHEMAS)
    language = dice.randrange(2)
    shown = dice.sample(columns, min(len(columns), dice.randint(2, 6)))
    hidden = [column for column in columns if column not in shown]
    rows: list[tuple[tuple[str, str], tuple[str, str]]] = make(dice, dice.randint(4, 9))  # type: ignore[assignment]
    present, absent = rows[: max(2, len(rows) - 2)], rows[max(2, len(rows) - 2) :]
    title = dice.choice(titles[language].split("|"))
    header = [dice.choice(first[language].split("|")), *(column.names[language] for column in shown)]
    cells = [[name[language], *(column.value(dice)[language] for column in shown)] for name, _ in present]
    units = tuple((title, row_text(header, row)) for row in cells)

    def ask(column: Column, called: tuple[str, str]) -> str:
        asked = language if dice.random() < 0.6 else 1 - language
        return dice.choice((column.zh, column.en)[asked]).format(called[asked])

    for _ in range(2):
        place = dice.randrange(len(present))
        yield Asked(ask(dice.choice(shown), present[place][1]), units, (place,))
    column, place = dice.choice(shown), dice.randrange(len(present))
    other = dice.choice([row for row in present if row is not present[place]])
    before = ask(column, other[1])
    zh = any("\u4e00" <= letter <= "\u9fff" for letter in before)
    then = dice.choice(("那{}呢", "{}呢？", "换成{}呢") if zh else ("And {}?", "what about {}", "and for {}?"))
    yield Asked(f"{before} {then.format(present[place][1][0 if zh else 1])}", units, (place,))
    if hidden:
        yield Asked(ask(dice.choice(hidden), dice.choice(present)[1]), units, ())
        yield Asked(ask(dice.choice(hidden), dice.choice(present)[1]), units, ())
    for row in absent[:1]:
        yield Asked(ask(dice.choice(shown), row[1]), units, ())
