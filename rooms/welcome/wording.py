"""The words of the first steps."""

from console.wording import Words

WORDS = Words(
    {
        "title": ("开始使用", "First steps"),
        "invite_title": ("把 Kefu 变成您店铺的客服", "Make Kefu your own"),
        "invite": (
            "目前只有演示店铺。花几分钟填写店铺名称、服务时间，上传资料，就可以在自己的网页上使用。",
            "There is only the demo shop so far. Name yours, set its hours, upload its documents: a few minutes, and "
            "the "
            "chat stands on your own pages.",
        ),
        "invite_go": ("开始", "Begin"),
        "invite_no": ("暂时不用", "Not now"),
        "leave": ("暂时离开", "Leave the steps"),
        "leave_help": (
            "随时可以从“系统”页回到这里，进度会保留。",
            "You can come back from the System page at any time.",
        ),
        "next": ("下一步", "Next"),
        "skip": ("跳过这一步", "Skip this step"),
        "save_next": ("保存并继续", "Save and go on"),
        "done": ("已完成", "done"),
        "finish": ("完成", "Finish"),
        "step_shop": ("店铺", "Your shop"),
        "step_hours": ("服务时间", "Hours"),
        "step_documents": ("资料", "Documents"),
        "step_people": ("同事", "People"),
        "step_embed": ("嵌入网页", "Embed"),
        "step_ask": ("问第一个问题", "First question"),
        "shop_help": (
            "先给店铺起个名字，顾客会在聊天窗口顶部看到它。",
            "Give the shop a name: customers see it at the top of the chat.",
        ),
        "shop_have": ("您的店铺", "Your shop"),
        "shop_settings": ("修改设置", "Change its settings"),
        "shop_another": ("再建一个店铺", "Set up another shop"),
        "hours_help": (
            "机器人始终回答；这里设置什么时间有人工客服。",
            "The bot always answers. Say when people do.",
        ),
        "documents_help": (
            "机器人只根据您的资料回答。上传常见问题、退换货规则、商品说明等文件（md、txt、html、pdf、docx、pptx、xlsx、csv），"
            "上传时选择“发布”，处理完就能用来回答。",
            "The bot answers from your documents alone. Upload FAQs, return rules, manuals (md, txt, html, pdf, docx, "
            "pptx, xlsx, csv); choose “publish” there, and they answer as soon as they are ready.",
        ),
        "documents_open": ("上传资料（新窗口）", "Upload documents (in a new tab)"),
        "documents_now": ("目前的资料", "What is there"),
        "documents_none": ("还没有上传。", "Nothing yet."),
        "documents_live": ("已发布版本", "Published release"),
        "documents_not_live": ("尚未发布", "nothing published yet"),
        "stage_stored": ("已收到", "received"),
        "stage_parsed": ("已读取", "read"),
        "stage_chunked": ("已切分", "cut"),
        "stage_embedded": ("已索引", "indexed"),
        "stage_ready": ("就绪", "ready"),
        "stage_quarantined": ("待确认", "in quarantine"),
        "stage_refused": ("无法读取", "refused"),
        "stage_cancelled": ("已取消", "cancelled"),
        "people_help": (
            "为客服、审核员和知识管理员各建一个账号。每个角色能做什么，页面上有说明。",
            "Make an account for everybody who talks with customers, reviews, or keeps the documents. The page says "
            "what "
            "each role may do.",
        ),
        "people_open": ("新建账号（新窗口）", "New account (in a new tab)"),
        "people_now": ("现有账号", "Accounts so far"),
        "embed_help": (
            "填写店铺网址，再把这一行放到网页的 </body> 之前。",
            "Say where your shop is, then put this line before </body> on its pages.",
        ),
        "embed_look": ("调整外观（新窗口）", "Change how it looks (in a new tab)"),
        "copy": ("复制", "Copy"),
        "copied": ("已复制", "Copied"),
        "ask_help": (
            "右下角就是您店铺的聊天窗口。像顾客一样问一个资料里有答案的问题，再问一个没有的。",
            "The chat in the corner is your shop's. Ask something that your documents answer, as a customer would, and "
            "then something that they do not.",
        ),
        "ask_preview": ("在预览页打开（新窗口）", "Open it on a preview page (in a new tab)"),
        "ask_inbox": ("到收件箱看这次会话", "See the conversation in the inbox"),
    }
)
