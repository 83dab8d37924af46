"""Every word of staff's own pages, zh and en, by stable code. Django translates its own forms and messages itself."""

from collections.abc import Mapping
from functools import cache
from typing import Literal

import opencc
from django.http import HttpRequest
from django.utils.translation import get_language

Language = Literal["zh", "en"]

_TEXTS: dict[str, tuple[str, str]] = {
    "kefu": ("Kefu 客服", "Kefu"),
    "staff": ("工作台", "Staff"),
    "sign_in": ("登录", "Sign in"),
    "back": ("返回首页", "Back to the start"),
    "continue": ("继续", "Continue"),
    "locked_title": ("尝试次数过多", "Too many attempts"),
    "locked": (
        "密码输错次数过多，暂时无法登录。请十五分钟后再试，或联系管理员解除锁定。",
        "There were too many wrong passwords. Try again in a quarter of an hour, or ask an administrator to unlock it.",
    ),
    "try_again": ("重新登录", "Back to sign-in"),
    "code": ("验证码", "Code"),
    "code_wrong": (
        "验证码不正确、已被使用，或尝试过于频繁。请等新验证码出现后再试。",
        "This code is wrong, used already, or came too soon after a wrong one. Wait for the next code and try again.",
    ),
    "code_title": ("两步验证", "Second factor"),
    "code_help": (
        "请输入验证器应用显示的六位数字，或一个恢复码。",
        "Enter the six digits that your authenticator app shows, or one of your recovery codes.",
    ),
    "two_factor": ("两步验证", "Two-factor"),
    "two_factor_on": ("已启用两步验证。", "Your account has a second factor."),
    "two_factor_none": ("尚未启用两步验证。", "Your account has no second factor yet."),
    "two_factor_why": (
        "启用后，登录时除密码外还需要手机上的验证码。",
        "With it, signing in takes a code from your phone besides the password.",
    ),
    "two_factor_required": (
        "本系统要求所有工作人员启用两步验证。",
        "Everybody who works here needs a second factor.",
    ),
    "two_factor_off": ("已关闭两步验证。", "The second factor is off."),
    "codes_left": ("剩余恢复码：", "Recovery codes left:"),
    "enrol": ("启用两步验证", "Set up a second factor"),
    "enrol_scan": (
        "1. 用验证器应用（如 Aegis、FreeOTP、Google 身份验证器）扫描二维码。",
        "1. Scan this with an authenticator app, such as Aegis, FreeOTP or Google Authenticator.",
    ),
    "enrol_picture": ("二维码，内容与下方密钥相同", "QR code of the key below"),
    "enrol_key": ("无法扫描？请手动输入密钥：", "Cannot scan it? Type this key instead:"),
    "enrol_code": ("2. 输入应用显示的六位数字。", "2. Enter the six digits that the app shows."),
    "codes_title": ("恢复码", "Recovery codes"),
    "codes_help": (
        "请妥善保存。手机不在身边时，每个恢复码可以代替验证码使用一次。这些恢复码不会再次显示。",
        "Keep these safe. Each stands in for a code once, when your phone is not at hand. They are not shown again.",
    ),
    "codes_kept": ("我已保存", "I have kept them"),
    "new_codes": ("生成新的恢复码", "Make new recovery codes"),
    "new_codes_help": (
        "旧的恢复码将全部失效。请输入一个验证码确认。",
        "The old ones end. Enter a code to confirm.",
    ),
    "disable": ("关闭两步验证", "Turn the second factor off"),
    "disable_help": ("请输入一个验证码或恢复码确认。", "Enter a code, or a recovery code, to confirm."),
    "password": ("修改密码", "Change password"),
    "password_changed": (
        "密码已修改，其他设备上的登录已全部退出。",
        "Your password is changed; you are signed out everywhere else.",
    ),
    "you_are": ("当前登录账号：", "You are signed in as"),
    "roles": ("角色", "Roles"),
    "roles_none": (
        "您的账号还没有角色，请联系管理员。",
        "Your account has no role yet: ask an administrator for one.",
    ),
    "sites": ("站点", "Sites"),
    "sites_none": ("无", "none"),
    "places": ("可以前往", "Where you may go"),
    "your_account": ("您的账号", "Your account"),
    "role_agent": ("客服", "agent"),
    "role_reviewer": ("审核员", "reviewer"),
    "role_knowledge_manager": ("知识管理员", "knowledge manager"),
    "role_supervisor": ("主管", "supervisor"),
    "role_administrator": ("系统管理员", "administrator"),
    "administration": ("系统管理", "Administration"),
    "audit": ("操作日志", "Audit log"),
    "audit_none": ("没有符合条件的记录。", "No entry fits."),
    "time": ("时间（UTC）", "Time (UTC)"),
    "who": ("操作人", "Who"),
    "action": ("操作", "Action"),
    "target": ("对象", "On what"),
    "details": ("详情", "Details"),
    "address": ("来源地址", "From"),
    "filter": ("筛选", "Filter"),
    "since": ("从", "From day"),
    "until": ("到", "To day"),
    "all_actions": ("全部操作", "All acts"),
    "target_help": ("如 site 3", "such as site 3"),
    "export_csv": ("导出 CSV", "Export CSV"),
    "export_most": ("最多导出条数：", "Entries in a file, at most:"),
    "older": ("更早的记录", "Older entries"),
    "nobody": ("—", "—"),
    "forbidden_title": ("没有权限", "Not for you"),
    "forbidden": (
        "您的角色不能查看此页面。如有需要，请联系管理员。",
        "Your role does not reach this page. Ask an administrator if it should.",
    ),
    "language": ("语言", "Language"),
    "guards_unavailable": (
        "安全检查暂时无法完成，消息没有发送，仍保留在输入框中。请稍后再试；若一直如此，请联系管理员。",
        "The safety check could not be done, so your message was not sent; it is still in your box. Try again in a "
        "moment, and tell an administrator if it stays like this.",
    ),
}
TEXTS: dict[Language, dict[str, str]] = {
    "zh": {code: texts[0] for code, texts in _TEXTS.items()},
    "en": {code: texts[1] for code, texts in _TEXTS.items()},
}


def language_of(code: str | None) -> Language:
    """Return which of our languages Django's `code` (zh-hans, en, …) is."""
    return "zh" if (code or "").startswith("zh") else "en"


class Words:
    """Texts by stable code, each as (Chinese in simplified characters, English)."""

    def __init__(self, texts: Mapping[str, tuple[str, str]]) -> None:
        self.texts = dict(texts)
        self._made: dict[str, dict[str, str]] = {}

    def here(self) -> dict[str, str]:
        """Return all of them in the reader's language; traditional characters are made by OpenCC."""
        code = get_language() or ""
        if code not in self._made:
            self._made[code] = {name: _written(texts, code) for name, texts in self.texts.items()}
        return self._made[code]


def _written(texts: tuple[str, str], code: str) -> str:
    if language_of(code) == "en":
        return texts[1]
    return _traditional().convert(texts[0]) if code == "zh-hant" else texts[0]


@cache
def _traditional() -> opencc.OpenCC:
    return opencc.OpenCC("s2twp")


WORDS = Words(_TEXTS)


def words() -> dict[str, str]:
    """Return the words of this app's pages in the reader's language."""
    return WORDS.here()


def say(request: HttpRequest) -> dict[str, dict[str, str]]:
    """Context processor: `say.sign_in` in a template is the text in the reader's language."""
    return {"say": words()}
