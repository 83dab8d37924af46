"""Fills the message templates with values and says where each stands. Knows nothing of what looks for them."""

import json
import random
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bench.personal_data import neutral, values

FOLDER = Path(__file__).resolve().parent
LANGUAGES = ("zh", "en")
HALVES = ("development", "held_out", "all")
SLOT = re.compile(r"\{([A-Za-z_]+)(?::([a-z]+))?\}")
FIRST_GLUED_TEMPLATE = 9000
PLAIN_FRAMES = (
    ("我的是", "请核对"),
    ("麻烦记一下", "谢谢"),
    ("资料写的", "对吗"),
    ("刚才发的", "发错了"),
    ("已经改成", "了吧"),
    ("系统里还是", "没有更新"),
    ("帮我把", "换掉"),
    ("登记的", "是旧的"),
    ("我填了", "提交不了"),
    ("用", "也查不到"),
    ("就是", "这个"),
    ("不要再用", "联系我"),
)
PERSON_FRAMES = (
    ("我叫", "的订单没到"),
    ("收件人是", "请改一下"),
    ("麻烦转给", "谢谢"),
    ("下单的是", "本人"),
    ("户主", "的名字写错了"),
    ("请让", "签收"),
    ("我是", "啊"),
    ("发票抬头写", "就行"),
    ("联系人换成", "吧"),
    ("快递上写着", "收"),
    ("会员名是", "吗"),
    ("我爱人", "去取"),
)
ADDRESS_FRAMES = (
    ("请寄到", "谢谢"),
    ("我住在", "的"),
    ("地址改成", "可以吗"),
    ("收货地址是", "别发错了"),
    ("师傅上门到", "来修"),
    ("包裹送到", "没人签收"),
    ("麻烦发到", "吧"),
    ("我搬到", "了"),
    ("退回", "就行"),
    ("你们到", "安装要多久"),
    ("明天送到", "来得及吗"),
    ("之前填的", "不对"),
)
FRAMES = {"PERSON": PERSON_FRAMES, "ADDRESS": ADDRESS_FRAMES}


@dataclass(frozen=True)
class Example:
    """One message; `spans` are (entity, start, end) in code points of `text`, in order, end exclusive."""

    text: str
    spans: tuple[tuple[str, int, int], ...]
    template: int
    language: str


@dataclass(frozen=True)
class Template:
    """A message with slots: `{ENTITY}`, `{ENTITY:variant}` for personal data, `{lower_case}` for other values."""

    number: int
    language: str
    text: str

    @property
    def half(self) -> str:
        """Decided by the wording alone, so that adding a template moves no other."""
        return "held_out" if zlib.crc32(self.text.encode()) % 2 else "development"

    @property
    def entities(self) -> tuple[str, ...]:
        return tuple(name for name, _ in SLOT.findall(self.text) if name.isupper())

    def fill(self, rng: random.Random) -> Example:
        parts: list[str] = []
        spans = []
        length = end = 0
        for slot in SLOT.finditer(self.text):
            name, variant = slot[1], slot[2] or ""
            before = self.text[end : slot.start()]
            if name.isupper():
                value = values.make(name, rng, self.language, variant)
                spans.append((name, length + len(before), length + len(before) + len(value)))
            else:
                value = neutral.make(name, rng, self.language)
            parts += [before, value]
            length += len(before) + len(value)
            end = slot.end()
        parts.append(self.text[end:])
        return Example("".join(parts), tuple(spans), self.number, self.language)


def templates(half: str = "all") -> list[Template]:
    """The templates of a half, Chinese first. ValueError for an unknown half."""
    if half not in HALVES:
        raise ValueError(f"half must be one of {', '.join(HALVES)}, not {half!r}")
    found = [
        Template(row["id"], language, row["text"])
        for language in LANGUAGES
        for row in map(json.loads, (FOLDER / f"templates.{language}.jsonl").read_text("utf-8").splitlines())
    ]
    return [t for t in found if half in ("all", t.half)]


def generate(seed: int, count: int, *, half: str = "all") -> Iterator[Example]:
    """`count` messages: every template of the half in turn, in a new order each round. The same seed, the same list."""
    rng = random.Random(seed)
    pool = templates(half)
    for position in range(count):
        if position % len(pool) == 0:
            rng.shuffle(pool)
        yield pool[position % len(pool)].fill(rng)


def glued(seed: int) -> Iterator[Example]:
    """Each entity directly between two Chinese characters, 12 times; one span each."""
    rng = random.Random(seed)
    for entity in values.MAKERS:
        frames = FRAMES.get(entity, PLAIN_FRAMES)
        for number, (left, right) in enumerate(frames, FIRST_GLUED_TEMPLATE):
            value = values.make(entity, rng, "zh", "glued" if entity == "ADDRESS" else "")
            yield Example(left + value + right, ((entity, len(left), len(left) + len(value)),), number, "zh")
