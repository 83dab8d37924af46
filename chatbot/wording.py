"""Every sentence that the bot says of its own accord, zh and en, by stable code. Knows nothing of when it says them."""

from datetime import datetime
from typing import Literal

from chatbot.turn import Language

HandoffReason = Literal["no_answer", "requested", "engine_failed", "timeout", "guard_failed", "review", "file", "upset"]

SENTENCES: dict[str, dict[Language, str]] = {
    "greeting": {
        "zh": "您好！我是自动客服助手，可以根据店里的资料回答您的问题。请问有什么可以帮您？",
        "en": "Hello! I am an automated assistant and answer from the shop's own documents. How can I help you?",
    },
    "thanks_goodbye": {
        "zh": "不客气！以后有问题，随时来问我。祝您生活愉快！",
        "en": "You are welcome! Come back any time you have a question. Have a good day!",
    },
    "refused": {
        "zh": "抱歉，这个话题我不能回答。您可以换个问法，或者输入“转人工”联系客服人员。",
        "en": "Sorry, I cannot help with that. You can put it differently, or type “agent” to reach a person.",
    },
    "degraded": {
        "zh": "（我现在比较忙，回答从简。如果不够清楚，可以输入“转人工”。）",
        "en": "(I am short of capacity right now, so this is a simple answer. Type “agent” to reach a person.)",
    },
    "owner.joined": {
        "zh": "{name} 已加入对话，由人工为您服务。",
        "en": "{name} has joined; you are now talking to a person.",
    },
    "owner.transferred": {"zh": "对话已转给 {name}。", "en": "{name} has taken over the conversation."},
    "owner.left": {
        "zh": "人工客服已离开，由自动助手继续为您服务。",
        "en": "The agent has left; the automated assistant is back.",
    },
    "owner.ended": {
        "zh": "本次人工服务已结束。之后有问题，直接发消息即可。",
        "en": "The agent has closed this conversation. Write any time if something comes up.",
    },
    "owner.expired": {
        "zh": "对话已搁置较久，人工客服已离开。之后有问题，直接发消息即可。",
        "en": "It has been quiet here for a while, and the agent has left. Write any time if something comes up.",
    },
    "waiting.minutes": {
        "zh": "正在等待人工客服：您排在第 {place} 位，预计约 {minutes} 分钟。",
        "en": "Waiting for a person: you are number {place} in the queue, about {minutes} min.",
    },
    "waiting.long": {
        "zh": "正在等待人工客服：您排在第 {place} 位，预计一小时以上。",
        "en": "Waiting for a person: you are number {place} in the queue, more than an hour.",
    },
    "waiting.unknown": {
        "zh": "正在等待人工客服：您排在第 {place} 位，暂时无法估计时间。",
        "en": "Waiting for a person: you are number {place} in the queue. We cannot tell how long it takes.",
    },
    "waiting.nobody": {
        "zh": "您排在第 {place} 位。目前没有客服在线，位置会为您保留。",
        "en": "You are number {place} in the queue. Nobody is there right now; you keep your place.",
    },
    "waiting.closed_until": {
        "zh": "人工客服现在不在，{opening}起恢复服务。可以先留言。",
        "en": "Our people are away. They are back {opening}. Leave a message here.",
    },
    "waiting.closed": {
        "zh": "人工客服现在不在。可以先留言。",
        "en": "Our people are away. Leave a message here.",
    },
    "closed.until": {
        "zh": "人工客服现在不在，{opening}起恢复服务。您可以在这里留言，他们回来后会看到。",
        "en": "Our people are away now. They are back {opening}. You can leave a message here; they will read it then.",
    },
    "closed": {
        "zh": "人工客服现在不在。您可以在这里留言，他们回来后会看到。",
        "en": "Our people are away now. You can leave a message here; they will read it when they are back.",
    },
    "review.rejected": {
        "zh": "抱歉，同事看过之后，这个问题我不能回答。我已转给人工客服，他们会在这里回复您。",
        "en": "Sorry, our staff have looked at this and I cannot answer it. A human agent will carry on here.",
    },
    "review.expired": {
        "zh": "抱歉，核对没能及时完成。我已把您的问题转给人工客服，他们会在这里回复您。",
        "en": "Sorry, our check was not done in time. A human agent will answer your question here.",
    },
    "withheld": {
        "zh": "（这段内容现在不能显示。）",
        "en": "(This text can no longer be shown.)",
    },
    "stopped": {
        "zh": "好的，已停止回答。",
        "en": "All right, I have stopped.",
    },
    "apology": {
        "zh": "抱歉，刚才出了点问题，没能回答您。请您再发一次，或者输入“转人工”。",
        "en": (
            "Sorry, something went wrong on our side and I could not answer. Please send it "
            "again, or type “agent” to reach a person."
        ),
    },
    "handed_off.no_answer": {
        "zh": "抱歉，我是自动助手，在现有资料里没有找到答案。我已把您的问题转给人工客服。",
        "en": (
            "Sorry, I am an automated assistant and found no answer in our documents. I have "
            "passed your question to a human agent."
        ),
    },
    "handed_off.requested": {
        "zh": "好的，我已为您转接人工客服。",
        "en": "Of course. I have passed you on to a human agent.",
    },
    "handed_off.engine_failed": {
        "zh": "抱歉，我这边暂时无法生成回答。我已把您的问题转给人工客服。",
        "en": "Sorry, I cannot write an answer at the moment. I have passed your question to a human agent.",
    },
    "handed_off.timeout": {
        "zh": "抱歉，回答花的时间太长了。我已把您的问题转给人工客服。",
        "en": "Sorry, the answer took too long. I have passed your question to a human agent.",
    },
    "handed_off.guard_failed": {
        "zh": "抱歉，我暂时无法核对回答是否妥当，所以没有发出。我已把您的问题转给人工客服。",
        "en": (
            "Sorry, I could not check my answer just now, so I have not sent it. I have passed "
            "your question to a human agent."
        ),
    },
    "handed_off.file": {
        "zh": "收到您发来的文件。我是自动助手，看不了文件，已转给人工客服查看。",
        "en": (
            "I have received your file. As an automated assistant I cannot look at it, so I have "
            "passed it to a human agent."
        ),
    },
    "handed_off.upset": {
        "zh": "很抱歉让您不满意。我是自动助手，帮到这里就不够了，已请人工客服接着为您处理。",
        "en": "I am sorry this has not gone well. I am an automated assistant, so I have asked a person to take over.",
    },
    "opening.sorry.1": {"zh": "很抱歉给您带来不便。", "en": "I am sorry about the trouble."},
    "opening.sorry.2": {"zh": "让您遇到这样的事，非常抱歉。", "en": "I am sorry that this happened to you."},
    "opening.sorry.3": {
        "zh": "理解您的心情，对此我们很抱歉。",
        "en": "I understand that this is annoying, and I am sorry.",
    },
    "opening.sorry_again.1": {
        "zh": "抱歉，前面的回答没有帮到您。",
        "en": "I am sorry that my answers have not helped so far.",
    },
    "opening.sorry_again.2": {
        "zh": "非常抱歉，问题到现在还没解决。",
        "en": "I am very sorry that this is still not solved.",
    },
    "opening.sorry_again.3": {"zh": "抱歉让您一再费心。", "en": "I am sorry that you have to come back to this."},
    "opening.glad.1": {"zh": "真高兴听您这么说！", "en": "I am glad to hear that!"},
    "opening.glad.2": {"zh": "谢谢您的肯定！", "en": "Thank you for telling us!"},
    "opening.glad.3": {"zh": "太好了！", "en": "That is good news!"},
    "opening.again.1": {"zh": "前面提到过，这里再说一遍：", "en": "As I said above:"},
    "opening.again.2": {"zh": "这一点和刚才说的一样：", "en": "This is the same as before:"},
    "opening.again.3": {"zh": "我再重复一下资料里的说法：", "en": "To repeat what our documents say:"},
    "closing.person.1": {
        "zh": "如果还没解决，输入“转人工”就能联系客服人员。",
        "en": "If this does not solve it, type “agent” to reach a person.",
    },
    "closing.person.2": {
        "zh": "想和客服人员直接说，请输入“转人工”。",
        "en": "Would you rather talk to a person? Type “agent”.",
    },
    "closing.person.3": {
        "zh": "需要人工处理的话，输入“转人工”即可。",
        "en": "A person can look into it: type “agent”.",
    },
    "handed_off.review": {
        "zh": "这个问题需要同事先看一下。我已转给人工客服。",
        "en": "A colleague needs to look at this first. I have passed it to a human agent.",
    },
    "too_long": {
        "zh": "这条消息太长了，最多 {limit} 个字符。请缩短后再发。",
        "en": "This message is too long: {limit} characters at most. Please shorten it and send it again.",
    },
    "invalid_json": {
        "zh": "收到的数据无法读取，请刷新页面后再试。",
        "en": "The data received could not be read. Please reload the page and try again.",
    },
    "binary": {"zh": "这里只能发送文字。", "en": "Only text can be sent here."},
    "unknown_type": {
        "zh": "页面发来了系统不认识的请求，请刷新页面后再试。",
        "en": "The page sent a request that is not known here. Please reload it and try again.",
    },
    "empty": {"zh": "消息是空的，请输入您的问题。", "en": "The message is empty. Please type your question."},
    "too_fast": {
        "zh": "您发得有点快，请过 {seconds} 秒再试。",
        "en": "That was a little fast. Please try again in {seconds} seconds.",
    },
    "busy": {
        "zh": "现在咨询的人很多，请过 {seconds} 秒再试。",
        "en": "Very many people are writing to us right now. Please try again in {seconds} seconds.",
    },
    "too_many_sockets": {
        "zh": "打开的聊天窗口太多了，请先关闭几个再试。",
        "en": "Too many chat windows are open. Please close some and try again.",
    },
    "user_invalid": {
        "zh": "网站提供的登录信息无效，请刷新页面；如仍有问题，请联系网站管理员。",
        "en": "The sign-in that this site passed on is not valid. Please reload the page, or tell the site's owner.",
    },
    "user_expired": {
        "zh": "登录信息已过期，请刷新页面后继续。",
        "en": "Your sign-in has expired. Please reload the page to go on.",
    },
    "user_replayed": {
        "zh": "这份登录信息已在别处用过，请刷新页面后再试。",
        "en": "This sign-in has already been used elsewhere. Please reload the page and try again.",
    },
    "too_many_files": {
        "zh": "一条消息里的文件太多了，请分几次发送。",
        "en": "These are too many files for one message. Please send them in several.",
    },
    "files_gone": {
        "zh": "这个文件已经失效，请重新上传后再发。",
        "en": "This file is no longer there. Please upload it again and send it.",
    },
    "file_empty": {"zh": "这个文件是空的，请换一个。", "en": "This file is empty. Please choose another one."},
    "file_too_big": {
        "zh": "文件太大了，最大 {megabytes} MB。请压缩后再发。",
        "en": "This file is too large: {megabytes} MB at most. Please send a smaller one.",
    },
    "file_type": {
        "zh": "不支持这种文件。可以发送图片（PNG、JPG、GIF、WebP）、PDF、TXT、DOCX 和 XLSX。",
        "en": "Files of this type are not accepted. You can send PNG, JPG, GIF, WebP, PDF, TXT, DOCX and XLSX.",
    },
    "file_mismatch": {
        "zh": "文件内容和它的扩展名不一致，请检查后重新发送。",
        "en": "The content of this file does not match its name. Please check it and send it again.",
    },
    "file_damaged": {
        "zh": "这个文件已损坏，无法读取。请换一个再发。",
        "en": "This file is damaged and cannot be read. Please send another one.",
    },
    "file_pixels": {
        "zh": "图片的尺寸太大了，请缩小后再发。",
        "en": "This picture has too many pixels. Please make it smaller and send it again.",
    },
    "file_locked": {
        "zh": "这个文件有密码保护，请去掉密码后再发。",
        "en": "This file is protected by a password. Please remove the password and send it again.",
    },
    "file_unsafe": {
        "zh": "这个文件可能不安全，没有接收。",
        "en": "This file may be harmful, so it was not accepted.",
    },
    "file_unchecked": {
        "zh": "暂时无法检查文件是否安全，所以没有接收。请稍后再发。",
        "en": "Files cannot be checked for safety right now, so it was not accepted. Please try again shortly.",
    },
    "file_daily": {
        "zh": "您今天发的文件已经很多了，请明天再发。",
        "en": "You have sent very many files today. Please send more tomorrow.",
    },
    "file_quota": {
        "zh": "您发送的文件总量已达上限，不能再发送文件了。",
        "en": "Your files have reached the total size that can be kept for you, so no more can be sent.",
    },
    "masking_unavailable": {
        "zh": "暂时无法保护您消息里的个人信息，所以没有接收。请稍后再发。",
        "en": (
            "Personal data in your message cannot be protected right now, so it was not "
            "accepted. Please send it again shortly."
        ),
    },
    "service_unavailable": {
        "zh": "服务暂时不可用，正在自动恢复。请稍后再试。",
        "en": "The service is unavailable for the moment and is recovering by itself. Please try again shortly.",
    },
    "bad_hello": {
        "zh": "连接没有正确开始，请刷新页面。",
        "en": "The connection did not start properly. Please reload the page.",
    },
    "bad_key": {
        "zh": "此页面的聊天密钥无效，请联系网站管理员。",
        "en": "This page's chat key is not valid. Please tell the site's owner.",
    },
    "bad_origin": {"zh": "此网站没有获准使用这个聊天窗口。", "en": "This web site is not allowed to use this chat."},
    "expired": {
        "zh": "会话已过期，请刷新页面重新开始。",
        "en": "This session has expired. Please reload the page to start again.",
    },
    "no_hello": {
        "zh": "连接没有及时建立，正在重新连接。",
        "en": "The connection was not set up in time. Connecting again.",
    },
    "token_refused": {
        "zh": "登录凭据已失效，请刷新页面后再试。",
        "en": "Your pass is not valid any more. Please reload the page and try again.",
    },
    "duplicate_id": {
        "zh": "这条消息的编号已经用过，请刷新页面后再发。",
        "en": "A message with this id was sent before. Please reload the page and send it again.",
    },
    "unknown_message": {"zh": "找不到这条消息。", "en": "This message could not be found."},
    "too_late": {
        "zh": "这条消息已经不能修改或撤回了。",
        "en": "It is too late to change or withdraw this message.",
    },
    "form_incomplete": {
        "zh": "还有必填的内容没有填，或者格式不对，请检查一下。",
        "en": "Something is missing, or is not what was asked for. Please look through the form again.",
    },
    "not_there": {"zh": "这项内容已经不在了。", "en": "This is no longer there."},
    "not_offered": {"zh": "这个网站没有开启此功能。", "en": "This web site does not offer that."},
    "bad_email": {
        "zh": "这个邮箱地址不对，请检查一下。",
        "en": "This does not look like an e-mail address. Please check it.",
    },
    "mail_unavailable": {
        "zh": "现在不能发送邮件，可以改为下载对话记录。",
        "en": "E-mail cannot be sent at the moment. You can download the conversation instead.",
    },
    "mail_often": {
        "zh": "近期发往这个邮箱的对话记录已经够多了，可以改为下载。",
        "en": "Enough letters have gone to this address lately. You can download the conversation instead.",
    },
    "transcript.subject": {"zh": "您与{site}的对话记录", "en": "Your conversation with {site}"},
    "transcript.foot": {
        "zh": "这封邮件是在{site}的聊天窗口里请求发送的。如果不是您本人，请忽略它。",
        "en": "Somebody asked for this in the chat of {site}. If it was not you, please ignore it.",
    },
    "transcript.customer": {"zh": "我", "en": "You"},
    "transcript.bot": {"zh": "智能助手", "en": "Assistant"},
    "transcript.agent": {"zh": "人工客服", "en": "Support agent"},
    "transcript.withdrawn": {"zh": "（已撤回）", "en": "(withdrawn)"},
    "internal": {
        "zh": "抱歉，系统出错了，我们已经记录下来。请稍后再试。",
        "en": "Sorry, something went wrong here. It has been logged; please try again shortly.",
    },
}


def say(code: str, language: Language, **values: int | str) -> str:
    """The sentence for `code` with its `{values}` filled in. Raises KeyError for an unknown code or a missing value."""
    return SENTENCES[code][language].format_map(values)


_DAYS: dict[Language, tuple[str, ...]] = {
    "zh": ("周一", "周二", "周三", "周四", "周五", "周六", "周日"),
    "en": ("on Monday", "on Tuesday", "on Wednesday", "on Thursday", "on Friday", "on Saturday", "on Sunday"),
}
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def moment(at: datetime, now: datetime, language: Language) -> str:
    """Weekday and time of `at`, by its own clock, whose distance from UTC is said; as a date when a week away."""
    offset = at.strftime("%z")
    zone = f"UTC{offset[0]}{int(offset[1:3])}" + (f":{offset[3:]}" if offset[3:5] != "00" else "")
    day = _DAYS[language][at.weekday()]
    if (at.date() - now.astimezone(at.tzinfo).date()).days >= 7:
        day = f"{at.month}月{at.day}日" if language == "zh" else f"{day}, {at.day} {_MONTHS[at.month - 1]},"
    clock = f"{at:%H:%M}"
    return f"{day} {clock}（{zone}）" if language == "zh" else f"{day} at {clock} ({zone})"
