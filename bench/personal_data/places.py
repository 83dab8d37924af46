"""Words that addresses are made of: Chinese districts, roads and estates, American and British towns and streets."""

from bench.personal_data.words import words

# Province or "" for a municipality, city, district or county.
DISTRICTS = tuple(
    tuple(line.split("|"))
    for line in words(
        "|北京市|朝阳区 |北京市|海淀区 |北京市|丰台区 |北京市|通州区 |北京市|昌平区 |上海市|浦东新区 "
        "|上海市|徐汇区 |上海市|静安区 |上海市|闵行区 |上海市|杨浦区 |上海市|嘉定区 |天津市|南开区 "
        "|天津市|和平区 |天津市|滨海新区 |重庆市|渝中区 |重庆市|渝北区 |重庆市|沙坪坝区 广东省|广州市|天河区 "
        "广东省|广州市|番禺区 广东省|广州市|白云区 广东省|深圳市|南山区 广东省|深圳市|福田区 "
        "广东省|深圳市|龙岗区 广东省|佛山市|顺德区 广东省|珠海市|香洲区 广东省|惠州市|惠城区 "
        "浙江省|杭州市|西湖区 浙江省|杭州市|余杭区 浙江省|杭州市|滨江区 浙江省|宁波市|鄞州区 "
        "浙江省|温州市|鹿城区 浙江省|金华市|义乌市 浙江省|绍兴市|诸暨市 江苏省|南京市|鼓楼区 "
        "江苏省|南京市|江宁区 江苏省|苏州市|姑苏区 江苏省|苏州市|昆山市 江苏省|无锡市|滨湖区 "
        "江苏省|常州市|武进区 江苏省|徐州市|泉山区 山东省|青岛市|市南区 山东省|济南市|历下区 "
        "山东省|烟台市|芝罘区 山东省|临沂市|兰山区 福建省|厦门市|思明区 福建省|福州市|仓山区 "
        "福建省|泉州市|晋江市 四川省|成都市|武侯区 四川省|成都市|锦江区 四川省|绵阳市|涪城区 "
        "湖北省|武汉市|洪山区 湖北省|武汉市|江汉区 湖北省|宜昌市|西陵区 湖南省|长沙市|岳麓区 "
        "湖南省|长沙市|浏阳市 湖南省|株洲市|天元区 河南省|郑州市|金水区 河南省|洛阳市|涧西区 "
        "河北省|石家庄市|长安区 河北省|保定市|莲池区 陕西省|西安市|雁塔区 陕西省|咸阳市|秦都区 "
        "辽宁省|沈阳市|铁西区 辽宁省|大连市|甘井子区 吉林省|长春市|朝阳区 黑龙江省|哈尔滨市|南岗区 "
        "安徽省|合肥市|蜀山区 安徽省|芜湖市|镜湖区 江西省|南昌市|红谷滩区 江西省|赣州市|章贡区 "
        "广西壮族自治区|南宁市|青秀区 广西壮族自治区|桂林市|七星区 云南省|昆明市|五华区 贵州省|贵阳市|南明区 "
        "山西省|太原市|小店区 甘肃省|兰州市|城关区 海南省|海口市|龙华区 海南省|三亚市|吉阳区 "
        "新疆维吾尔自治区|乌鲁木齐市|天山区 内蒙古自治区|呼和浩特市|赛罕区 宁夏回族自治区|银川市|兴庆区 "
        "青海省|西宁市|城西区"
    )
)
ROADS = words(
    "人民路 中山路 解放大道 建设路 和平路 新华路 文化路 长江路 黄河路 光明路 学府路 滨江大道 湖滨路 科技路 "
    "创业街 迎宾大道 体育西路 友谊大街 朝晖路 文三路 翠竹路 松江南路 凤凰北路 龙腾路 金沙江路 紫荆街 东风东路 "
    "南京西路 北环大道 环城东路 工业三路 富民街 槐树街 桃源路 梧桐路 银杏路 石榴巷 柳营巷 胜利胡同 幸福里 兴业路 "
    "振兴路 站前街 青年大街 丰庆路 瑞金路 虹桥路 太湖大道 钱江路 天府三街 锦绣路 珠江东路 鹭江道 海晏北路 "
    "岭南大道 云飞路"
)
ESTATES = words(
    "阳光花园 翠湖雅苑 金色家园 万和城 锦绣江南 碧桂湾 丽景名都 御景豪庭 水岸新城 和谐家园 绿地世纪城 学府名苑 "
    "香樟园 东方明珠花园 紫金公寓 枫林苑 桂花城 星河湾 龙湖春天 幸福小区 建业新村 望江小区 电力家属院 银河丽都 "
    "海棠苑 天鹅湖花园 景秀年华 华庭小区 西苑新村 时代公馆 玉兰苑 梅园小区 金水湾 橡树林"
)
OFFICES = words(
    "国贸中心 创新大厦 世纪广场写字楼 科创园 环球金融中心 软件产业园 银泰大厦 中环国际 电子商务园 天安数码城"
)
TOWNS = words("张楼 柳林 石桥 青山 白沙 龙泉 大河 双塔 黄花 三里 清水 杨集 马店 周口店 梅溪 南坪")
VILLAGES = words("李庄 王家湾 小河 上坝 东岗 陈家桥 石门 桃花 赵楼 西沟 新建 下洋 杏花 大榆树 谢屋 后寨")
SCHOOLS = words("师范大学 理工大学 农业大学 职业技术学院 第一中学 交通大学 医科大学")
# City, state, the first three digits of its ZIP codes.
AMERICAN_CITIES = tuple(
    tuple(line.split("|"))
    for line in words(
        "Portland|OR|972 Seattle|WA|981 Austin|TX|787 Houston|TX|770 Dallas|TX|752 Denver|CO|802 "
        "Chicago|IL|606 Boston|MA|021 Brooklyn|NY|112 New_York|NY|100 Buffalo|NY|142 Newark|NJ|071 "
        "Philadelphia|PA|191 Pittsburgh|PA|152 Baltimore|MD|212 Richmond|VA|232 Raleigh|NC|276 "
        "Charlotte|NC|282 Atlanta|GA|303 Savannah|GA|314 Miami|FL|331 Tampa|FL|336 Orlando|FL|328 "
        "Nashville|TN|372 Memphis|TN|381 Louisville|KY|402 Columbus|OH|432 Cleveland|OH|441 Detroit|MI|482 "
        "Ann_Arbor|MI|481 Milwaukee|WI|532 Madison|WI|537 Minneapolis|MN|554 Des_Moines|IA|503 "
        "St._Louis|MO|631 Kansas_City|MO|641 Omaha|NE|681 Tulsa|OK|741 New_Orleans|LA|701 Phoenix|AZ|850 "
        "Tucson|AZ|857 Albuquerque|NM|871 Las_Vegas|NV|891 Reno|NV|895 Salt_Lake_City|UT|841 Boise|ID|837 "
        "Los_Angeles|CA|900 San_Diego|CA|921 Oakland|CA|946 Sacramento|CA|958 Fresno|CA|937 Anchorage|AK|995 "
        "Honolulu|HI|968 Burlington|VT|054 Providence|RI|029"
    )
)
AMERICAN_STREETS = words(
    "Maple Oak Cedar Pine Elm Washington Lincoln Jefferson Madison Lakeview Sunset Ridge Park Hillcrest Willow "
    "Birch Chestnut Magnolia Juniper Franklin Monroe Highland Riverside Meadow Spruce Cherry Walnut Dogwood "
    "Prospect Mill"
)
AMERICAN_KINDS = words("St Street Ave Avenue Rd Road Blvd Drive Dr Lane Ln Court Ct Way Place Terrace")
# Town and the outward parts of its postcodes.
BRITISH_TOWNS = tuple(
    (town, codes.split(","))
    for town, codes in (
        line.split("|")
        for line in words(
            "London|SW11,N16,E8,SE15,W5,NW3 Bristol|BS6,BS3 Manchester|M14,M20 Leeds|LS6,LS8 "
            "Sheffield|S10,S7 Liverpool|L17,L8 Birmingham|B13,B29 Newcastle_upon_Tyne|NE2,NE6 "
            "Nottingham|NG7,NG2 Leicester|LE2 York|YO10,YO31 Cambridge|CB1,CB4 Oxford|OX4,OX2 "
            "Brighton|BN1,BN2 Southampton|SO15 Exeter|EX4 Norwich|NR2 Bath|BA2 Cardiff|CF24,CF10 "
            "Swansea|SA2 Edinburgh|EH9,EH6 Glasgow|G12,G41 Aberdeen|AB24 Dundee|DD2 Belfast|BT9,BT7 "
            "Reading|RG1 Plymouth|PL4 Derby|DE22"
        )
    )
)
BRITISH_STREETS = words(
    "High_Street Church_Lane Station_Road Victoria_Road Elm_Grove Mill_Lane Park_Avenue Queens_Road "
    "Albert_Terrace Kingsway Grange_Road Manor_Close The_Crescent Orchard_Way Alma_Vale_Road Windsor_Gardens "
    "Beech_Drive Chapel_Street Priory_Mews Northcote_Road Castle_Hill Rectory_Lane Hawthorn_Close "
    "St_James's_Square Bridge_Street Gladstone_Road"
)
