"""The words of the frame around all rooms, zh and en. What one room says stands in its own wording.py."""

from console.wording import Words

WORDS = Words(
    {
        "rooms": ("工作区", "Rooms"),
        "inbox": ("会话", "Inbox"),
        "review": ("审核", "Review"),
        "knowledge": ("知识库", "Knowledge"),
        "words": ("词库", "Words"),
        "why": ("依据", "Why"),
        "insights": ("数据", "Insights"),
        "sites": ("站点", "Sites"),
        "people": ("人员", "People"),
        "system": ("系统", "System"),
        "skip": ("跳到正文", "Skip to the page"),
        "account": ("账号", "Account"),
        "audit": ("操作日志", "Audit log"),
        "two_factor": ("两步验证", "Two-factor"),
        "password": ("修改密码", "Change password"),
        "sign_out": ("退出登录", "Sign out"),
        "language": ("语言", "Language"),
        "theme": ("外观", "Appearance"),
        "theme_auto": ("跟随系统", "As the device"),
        "theme_light": ("浅色", "Light"),
        "theme_dark": ("深色", "Dark"),
        "keys": ("键盘快捷键", "Keyboard shortcuts"),
        "keys_go": ("按 g 再按字母前往", "press g, then the letter, to go to"),
        "keys_search": ("搜索", "search"),
        "keys_help": ("打开本说明", "this help"),
        "close": ("关闭", "Close"),
        "failed": ("操作没有完成，请再试一次。", "That did not work. Try again."),
        "offline": (
            "连不上服务器，请检查网络后再试。",
            "The server cannot be reached. Check the network and try again.",
        ),
        "forbidden": ("您没有此操作的权限。", "You may not do that."),
        "gone": (
            "内容已不存在或已被他人更改，请刷新页面。",
            "It is gone, or somebody has changed it. Reload the page.",
        ),
        "signed_out": ("登录已过期，请重新登录。", "You are signed out. Sign in again."),
    }
)
