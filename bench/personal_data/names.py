"""Words that names are made of: Chinese surnames and given-name characters, first and last names of many origins."""

from bench.personal_data.words import words

# The commonest first: the maker draws from the front more often.
SURNAMES = words(
    "王 李 张 刘 陈 杨 黄 赵 吴 周 徐 孙 马 朱 胡 郭 何 林 高 罗 郑 梁 谢 宋 唐 许 韩 冯 邓 曹 彭 曾 肖 田 董 袁 "
    "潘 于 蒋 蔡 余 杜 叶 程 苏 魏 吕 丁 任 沈 姚 卢 姜 崔 钟 谭 陆 汪 范 金 石 廖 贾 夏 韦 付 方 白 邹 孟 熊 秦 "
    "邱 江 尹 薛 闫 段 雷 侯 龙 史 陶 黎 贺 顾 毛 郝 龚 邵 万 钱 严 覃 武 戴 莫 孔 向 汤 温 康 施 文 牛 樊 葛 邢 "
    "安 齐 易 乔 伍 庞 颜 倪 庄 聂 章 鲁 岳 翟 殷 詹 申 欧 耿 关 兰 焦 俞 左 柳 甘 祝 包 宁 尚 符 舒 阮 柯 纪 梅 "
    "童 凌 毕 单 季 裴 霍 涂 成 苗 谷 盛 曲 翁 冉 骆 蓝 路 游 辛 靳 管 柴 蒙 鲍 华 喻 祁 蒲 房 滕 屈 饶 解 牟 艾 "
    "尤 阳 时 穆 农 司 卓 古 吉 缪"
)
LONG_SURNAMES = words("欧阳 司马 上官 诸葛 夏侯 皇甫 尉迟 公孙 慕容 司徒 令狐 宇文 长孙 端木 东方 南宫")
GIVEN = (
    "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平刚桂英华玉兰红鹏飞鑫波斌宇浩凯健俊帆帅旭宁龙林欢佳雪琳颖梅莉婷慧雯倩"
    "萍莹薇璐瑶瑾蕾蓉蕊薏菲菁莎岚岩峰峻嵩川江河海洁清澜泽润渊源淼溪潇然照煜炜烨焕燕熙晨晓晖晗昊昕昭晟景智暄曦朗朔"
    "望月朋朝木本杉松柏柯栋桐梓森楠榕樱欣歆正武毅民永汉沛沐泓洪浙涵淇淑淳添渝湘滨漫瀚灵炎灿烁爽牧珂珊珍珏珠琦琪琴"
    "瑜瑞璇璟甜生男留畅白皓盈真睿知硕祥祯祺禾秋程稳立竹笑筠简粟素紫纯纳纾绍维绮绿缘罗美翔翰耀聪胜自舒航良艺芃芊芝"
    "花苏苑若茂茗茜茵荣莲菊萌萱蓓薪藜虹蝶衡裕言诗诚语谦谨豪贝贤贵赫越轩辉达迅远迪逸道邦郁采金铭钰锋锐锦长闻阳雁雅"
    "雨雷震霄霏露青韵韬顺颂风馨骏骐高鸣鹤麟黎齐一丁世业东中丹之乐书云亚仁仪任众优伦伯佑依信修元先光兆克全"
)
PINYIN = words(
    "wang li zhang liu chen yang huang zhao wu zhou xu sun ma zhu hu guo he lin gao luo zheng liang xie song "
    "tang deng feng cao peng zeng xiao tian dong pan jiang cai yu du ye cheng su wei lv ding ren shen yao lu cui "
    "zhong tan fan jin"
)
PINYIN_GIVEN = words(
    "wei fang na min jing lei jun yang yong yan jie juan tao ming chao xia ping gang hua yulan hong pengfei xin "
    "bo bin yuhao kai jian junjie fan xu ning jiaxin xue linlin ying mei ting hui wenwen qian xiaoyu zihan siyu "
    "mengqi yichen"
)
FIRST_NAMES = words(
    "James Mary Robert Patricia Michael Jennifer David Linda William Elizabeth Richard Barbara Joseph Susan "
    "Thomas Jessica Charles Sarah Christopher Karen Daniel Lisa Matthew Nancy Anthony Betty Mark Margaret Steven "
    "Sandra Paul Ashley Andrew Kimberly Joshua Emily Kenneth Donna Kevin Michelle Brian Carol George Amanda "
    "Timothy Melissa Ronald Deborah Jason Stephanie Edward Rebecca Jeffrey Laura Ryan Helen Jacob Cynthia Gary "
    "Kathleen Nicholas Amy Eric Angela Jonathan Shirley Stephen Anna Larry Ruth Justin Brenda Scott Pamela "
    "Brandon Nicole Benjamin Samantha Samuel Katherine Gregory Emma Patrick Christine Alexander Catherine Jack "
    "Debra Dennis Rachel Carlos Sofia Diego Valentina Javier Camila Mateo Lucia Miguel Isabel Rafael Carmen "
    "Antonio Elena Luca Giulia Marco Chiara Lorenzo Francesca Pierre Camille Antoine Manon Olivier Amelie Hans "
    "Greta Jurgen Ingrid Lars Astrid Bjorn Freja Sven Sigrid Pavel Katarina Dmitri Svetlana Oleksandr Iryna "
    "Piotr Agnieszka Tomasz Zofia Ahmed Fatima Omar Layla Yusuf Zainab Khalid Noor Hassan Aisha Arjun Priya "
    "Rahul Ananya Vikram Deepika Rohan Meera Sanjay Kavita Hiroshi Yuki Kenji Sakura Takumi Haruka Min-jun "
    "Ji-woo Seo-yeon Hyun Nguyen Linh Minh Thuy Kwame Ama Chidi Ngozi Tunde Folake Thabo Naledi Siobhan Niamh "
    "Eoin Aoife Rhys Cerys Callum Isla Hamish Ewan Tariq Leila Dariush Shirin Avi Tamar Noam Yael Keanu Leilani"
)
LAST_NAMES = words(
    "Smith Johnson Williams Brown Jones Miller Davis Wilson Anderson Taylor Thomas Moore Jackson Martin Thompson "
    "White Harris Clark Lewis Robinson Walker Young Allen King Wright Scott Hill Green Adams Nelson Baker Hall "
    "Campbell Mitchell Carter Roberts Phillips Evans Turner Parker Collins Edwards Stewart Morris Murphy Cook "
    "Rogers Morgan Cooper Peterson Reed Bailey Kelly Howard Ward Cox Richardson Wood Watson Brooks Bennett Gray "
    "Hughes Price Myers Long Foster Sanders Ross Powell Sullivan Russell Jenkins Perry Butler Barnes Fisher "
    "Henderson Coleman Simmons Patterson Jordan Reynolds Hamilton Graham Wallace Woods Cole West Owens Marshall "
    "Ellis Harrison Freeman Wells Webb Simpson Stevens Tucker Porter Hunter Hicks Crawford Boyd Mason Kennedy "
    "Warren Dixon Burns Gordon Shaw Holmes Rice Robertson Hunt Garcia Rodriguez Martinez Hernandez Lopez "
    "Gonzalez Perez Sanchez Ramirez Torres Flores Rivera Gomez Diaz Cruz Reyes Morales Ortiz Gutierrez Castillo "
    "Mendoza Vasquez Silva Santos Oliveira Pereira Costa Ferreira Rossi Russo Ferrari Esposito Bianchi Romano "
    "Ricci Dubois Durand Lefebvre Moreau Laurent Fournier Mercier Muller Schmidt Schneider Fischer Weber Wagner "
    "Becker Hoffmann Schulz Koch Bauer Richter Klein Andersen Nielsen Hansen Larsen Johansson Lindqvist Karlsson "
    "Eriksson Korhonen Virtanen Novak Svoboda Kowalski Nowak Wisniewski Wojcik Petrov Ivanova Sokolov Shevchenko "
    "Kovalenko Popescu Ionescu Papadopoulos Nikolaidis Yilmaz Demir Kaya Hussain Khan Ahmed Malik Rahman "
    "Chowdhury Patel Sharma Singh Gupta Kumar Reddy Iyer Banerjee Mehta Tanaka Suzuki Yamamoto Nakamura "
    "Kobayashi Watanabe Kim Park Choi Jung Nguyen Tran Pham Hoang Santoso Wijaya Okafor Adeyemi Nwosu Mensah "
    "Boateng Dlamini Nkosi Mwangi Otieno Haile Cohen Levi Mizrahi Haddad Nasser Farouk O'Brien O'Connor McCarthy "
    "MacDonald McKenzie Gallagher Byrne Llewellyn Pritchard Kealoha Whitaker Ashworth Featherstone Hargreaves"
)
