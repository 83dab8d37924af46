"""Why a file is not read, what was left out of one that was, and where a chunk stands, in a manager's words."""

import re

from knowledge.language import Language

REASONS: dict[str, tuple[str, str]] = {
    # code: English, Chinese; `{}` is the detail
    "empty": ("the file is empty", "文件是空的"),
    "too_large": ("the file is larger than {} MB", "文件大于 {} MB"),
    "unsupported": ("files of type {} are not supported", "不支持 {} 类型的文件"),
    "wrong_type": ("this is not a real {} file", "这不是真正的 {} 文件"),
    "damaged": ("the file is damaged ({})", "文件已损坏（{}）"),
    "encrypted": ("the file is encrypted; save it without a password", "文件已加密，请另存为没有密码的文件"),
    "old_office": (
        "this is an old {} file; save it as .docx, .xlsx or .pptx",
        "这是旧版 {} 文件，请另存为 .docx、.xlsx 或 .pptx",
    ),
    "not_text": ("the file is not text, or is damaged", "文件不是文本，或已损坏"),
    "encoding": (
        "the file is in no encoding that can be read (UTF-8, UTF-16, GB18030 and Big5 can)",
        "无法识别文件的编码（可读：UTF-8、UTF-16、GB18030、Big5）",
    ),
    "no_text": ("the file holds no text", "文件里没有文字"),
    "headings_only": ("the file holds headings but no text", "文件里只有标题，没有正文"),
    "pictures_only": (
        "the file holds pictures of text only; install the optional package {} to have them read",
        "文件里只有文字的图片，请安装可选组件 {} 后再导入",
    ),
    "table_damaged": ("the table is damaged: {}", "表格已损坏：{}"),
    "table_empty": ("the table has no rows below its header", "表格除表头外没有内容"),
    "row_too_long": (
        "row {} has more cells than the header; quote cells that hold the separator",
        "第 {} 行的单元格多于表头，请给含有分隔符的单元格加引号",
    ),
    "half_pair": (
        "row {} has a question or an answer only",
        "第 {} 行只有问题或只有答案",
    ),
    "json_line": ("line {} is not valid JSON", "第 {} 行不是有效的 JSON"),
    "json_object": ("line {} is not a JSON object", "第 {} 行不是 JSON 对象"),
    "json_empty": ("the file has no fields with content", "文件里没有带内容的字段"),
    "too_deep": ("the file is nested too deeply", "文件嵌套太深"),
    "unpacks_too_much": ("the file unpacks to too much data", "文件解压后过大"),
    "entities": ("the file declares XML entities, which no Office program writes", "文件声明了 XML 实体，不予读取"),
    "archive_nested": ("an archive inside an archive is not read", "不读取压缩包里的压缩包"),
    "archive_members": ("the archive has more than {} files", "压缩包里的文件超过 {} 个"),
    "archive_empty": ("the archive holds no files", "压缩包里没有文件"),
    "pages": ("the file has more than {} pages; split it", "文件超过 {} 页，请拆分"),
    "time": ("reading took longer than {} seconds; split the file", "读取超过 {} 秒，请拆分文件"),
    "memory": ("reading takes more than {} MB of memory; split the file", "读取需要超过 {} MB 内存，请拆分文件"),
    "too_much_text": ("the file holds more than {} MB of text; split it", "文件的文字超过 {} MB，请拆分"),
    "crashed": ("the reader crashed on this file; it is probably damaged", "读取时程序崩溃，文件可能已损坏"),
    "cancelled": ("reading was cancelled", "读取已取消"),
    # what comes after the reading
    "missing": ("the file is not in the store any more; upload it again", "存储中已没有这个文件，请重新上传"),
    "died": ("the process that read the file died twice", "处理该文件的进程两次异常退出"),
    "failed": ("processing failed twice ({}); look into the log", "处理两次失败（{}），请查看日志"),
    "duplicate": ("says the same as {}", "内容与 {} 相同"),
    "injection": ("a manager refused it: it tries to give the bot orders", "管理员已拒绝：内容试图指挥机器人"),
    "too_many": ("the base already has {} documents", "知识库已有 {} 个文档"),
}

NOTICES: dict[str, tuple[str, str]] = {
    "macros": ("the file holds macros; they were not run", "文件含有宏，宏没有运行"),
    "hidden_text": ("text that is not shown was left out ({})", "已略去不显示的文字（{}）"),
    "hidden_sheets": ("hidden sheets were left out: {}", "已略去隐藏的工作表：{}"),
    "hidden_slides": ("hidden slides were left out: {}", "已略去隐藏的幻灯片：{}"),
    "formulas": (
        "formulas without a saved result were left out; open and save the file in a spreadsheet program",
        "已略去没有保存结果的公式，请用表格软件打开并保存文件",
    ),
    "picture_pages": (
        "pages that are pictures were left out: {}; install the optional package rapidocr to have them read",
        "已略去图片页：{}。安装可选组件 rapidocr 后可读取",
    ),
    "picture_time": (
        "there was no time to read pages that are pictures: {}; split the file",
        "来不及识别图片页：{}，请拆分文件",
    ),
    "recognised": ("text recognised in pictures, check it: {}", "以下文字由图片识别而来，请核对：{}"),
    "encoding": ("read as {}", "按 {} 编码读取"),
    "mended": ("a few broken characters were left out", "已略去少量损坏的字符"),
    "wrong_extension": ("the content is {}, whatever the name says", "文件内容其实是 {}"),
    "edits_lost_place": (
        "{} edits of this document have no place in the new file; their passages stand at the end",
        "{} 处人工修改在新文件中找不到对应位置，已保留在文末",
    ),
    "edits_contested": (
        "{} edits stand over passages that the new file changes, too; check them",
        "{} 处人工修改覆盖了新文件中同样改动的段落，请核对",
    ),
    "merged_cells": ("sheet too large to fill merged cells: {}", "工作表太大，合并的单元格没有填充：{}"),
}


def wording(code: str, detail: str = "", language: Language = "en") -> str:
    """The sentence for a code of `REASONS` or `NOTICES`, without a full stop. Raises KeyError for any other code."""
    english, chinese = (REASONS if code in REASONS else NOTICES)[code]
    return (chinese if language == "zh" else english).replace("{}", detail)


_PLACES = (
    (r"\bpage (\d+)", r"第 \1 页"),
    (r"\bslide (\d+)", r"第 \1 张幻灯片"),
    (r"\bsheet ", "工作表 "),
    (r"\btable (\d+)", r"表格 \1"),
    (r"\b(?:row|line) (\d+)", r"第 \1 行"),
    (r"\bnotes\b", "备注"),
)


def place(source: str, language: Language = "en") -> str:
    """Where a chunk stands (`Draft.source`): `sheet Fees, row 12` is `工作表 Fees，第 12 行` in Chinese."""
    if language == "en":
        return source
    for english, chinese in _PLACES:
        source = re.sub(english, chinese, source)
    return source.replace(", ", "，")
