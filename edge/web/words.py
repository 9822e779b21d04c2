"""Everything the dashboard says, in each of its languages, by message id. Names in braces are filled in by the speaker."""

from __future__ import annotations

from typing import Final

from edge.serving.language import Language

__all__ = ["WORDS"]

WORDS: Final[dict[str, dict[Language, str]]] = {
    # The page itself
    "page_title": {"en": "{visitors} visitors today · {store}", "zh-CN": "今日客流 {visitors} · {store}"},
    "skip_to_figures": {"en": "Skip to today's figures", "zh-CN": "跳到今日数据"},
    "product": {"en": "Threshold", "zh-CN": "Threshold"},
    "language_switch": {"en": "Language", "zh-CN": "语言"},
    "language_name": {"en": "English", "zh-CN": "中文"},
    "as_of": {"en": "As of", "zh-CN": "更新于"},
    "live": {"en": "Live", "zh-CN": "实时"},
    "connection_lost": {
        "en": "The box does not answer. These figures may be old; the page keeps trying.",
        "zh-CN": "门店网关没有响应。以下数据可能已过时，页面会继续重试。",
    },
    "no_script": {
        "en": "Without JavaScript this page loads itself anew every ten seconds.",
        "zh-CN": "未启用 JavaScript，本页每十秒自动刷新一次。",
    },
    "notices": {"en": "Please look at this", "zh-CN": "请留意"},
    "summary": {
        "en": "Visitors today {visitors}. In the shop now {occupancy}.",
        "zh-CN": "今日客流 {visitors}。当前在店 {occupancy}。",
    },
    "unknown_figure": {"en": "–", "zh-CN": "–"},
    # Notices
    "gateway_absent": {
        "en": "The gateway has not written anything yet. Figures appear here as soon as it runs.",
        "zh-CN": "网关尚未写入任何数据。网关开始运行后，数据会立即显示在这里。",
    },
    "gateway_unreadable": {
        "en": "The gateway's record cannot be read at the moment, so no figures are shown.",
        "zh-CN": "目前无法读取网关的记录，因此暂不显示数据。",
    },
    "gateway_quiet": {
        "en": "Nothing new has reached this box since {time}. Check that the gateway is running and the devices have power.",
        "zh-CN": "自 {time} 起没有收到新数据。请检查网关是否在运行、设备是否通电。",
    },
    "no_device_yet": {
        "en": "The gateway is ready; no device has spoken to it yet.",
        "zh-CN": "网关已就绪，尚无设备与它通信。",
    },
    "notice_missing": {
        "en": "Counting is off in {zone}: nobody has confirmed that the notice about counting hangs there.",
        "zh-CN": "{zone} 已停止计数：尚未确认该处张贴了计数告知牌。",
    },
    "notice_expired": {
        "en": "Counting is off in {zone}: the notice there was last confirmed on {date}. Please check that it still hangs.",
        "zh-CN": "{zone} 已停止计数：告知牌最近一次确认是在 {date}，请检查是否仍在原处。",
    },
    "notice_future": {
        "en": "Counting is off in {zone}: the notice there is confirmed for {date}, which has not come yet.",
        "zh-CN": "{zone} 已停止计数：告知牌的确认日期 {date} 尚未到来。",
    },
    # Visitors
    "visitors_today": {"en": "Visitors today", "zh-CN": "今日客流"},
    "in_and_out": {"en": "{entered} came in · {left} went out", "zh-CN": "进店 {entered} · 离店 {left}"},
    "in_shop_now": {"en": "In the shop now", "zh-CN": "当前在店"},
    "in_shop_how": {"en": "Came in minus went out", "zh-CN": "进店减去离店"},
    # Chart
    "coming_and_going": {"en": "Coming and going", "zh-CN": "进出客流"},
    "chart_caption": {"en": "The last {span} · one bar is {length}", "zh-CN": "最近 {span} · 每柱 {length}"},
    "chart_summary": {
        "en": "{entered} came in and {left} went out in the last {span}. Busiest: {time} with {peak} coming in.",
        "zh-CN": "最近 {span}进店 {entered} 人次，离店 {left} 人次。最忙时段 {time}，进店 {peak} 人次。",
    },
    "chart_quiet": {
        "en": "Nobody has come or gone in the last {span}.",
        "zh-CN": "最近 {span}无人进出。",
    },
    "came_in": {"en": "Came in", "zh-CN": "进店"},
    "went_out": {"en": "Went out", "zh-CN": "离店"},
    "bar_label": {"en": "{time}: {entered} in, {left} out", "zh-CN": "{time}：进店 {entered}，离店 {left}"},
    "as_table": {"en": "The same as a table", "zh-CN": "以表格显示"},
    "from_time": {"en": "From", "zh-CN": "开始时间"},
    # Lines and zones
    "doors": {"en": "Doors and lines", "zh-CN": "出入口与计数线"},
    "door": {"en": "Line", "zh-CN": "计数线"},
    "no_doors": {
        "en": "No counting line is set up. Add one to a camera in store.toml.",
        "zh-CN": "尚未设置计数线。请在 store.toml 中为摄像头添加。",
    },
    "zones": {"en": "Zones", "zh-CN": "区域"},
    "zone_entries": {"en": "Times somebody came into view", "zh-CN": "有人进入画面的次数"},
    "no_zones": {"en": "No zone has a camera.", "zh-CN": "没有区域装有摄像头。"},
    # Sales and mood
    "sales_today": {"en": "Sales today", "zh-CN": "今日销售"},
    "sales_detail": {"en": "Sales {sales} · items {units}", "zh-CN": "{sales} 笔 · {units} 件"},
    "sales_returns": {"en": "returns {returns}", "zh-CN": "退货 {returns}"},
    "sales_voids": {"en": "voids {voids}", "zh-CN": "作废 {voids}"},
    "no_sales": {"en": "No till has sent a sale yet.", "zh-CN": "收银机尚未发来销售记录。"},
    "conversion": {"en": "{rate} sales per 100 visitors", "zh-CN": "每百名顾客成交 {rate} 笔"},
    "mood": {"en": "Mood", "zh-CN": "顾客心情"},
    "mood_average": {
        "en": "Average {average} of 5 · answers {answers}",
        "zh-CN": "平均 {average} / 5 · {answers} 次评价",
    },
    "no_mood": {"en": "Nobody has pressed a button yet.", "zh-CN": "还没有人按过按钮。"},
    "mood_1": {"en": "Very bad", "zh-CN": "很差"},
    "mood_2": {"en": "Bad", "zh-CN": "较差"},
    "mood_3": {"en": "So-so", "zh-CN": "一般"},
    "mood_4": {"en": "Good", "zh-CN": "不错"},
    "mood_5": {"en": "Very good", "zh-CN": "很好"},
    # Devices
    "devices": {"en": "Devices", "zh-CN": "设备"},
    "devices_all_well": {"en": "All {total} online", "zh-CN": "{total} 台全部在线"},
    "devices_some_away": {"en": "{away} of {total} not online", "zh-CN": "{total} 台中有 {away} 台不在线"},
    "no_devices": {"en": "No device is set up in store.toml.", "zh-CN": "store.toml 中尚未设置设备。"},
    "kind_camera": {"en": "Camera", "zh-CN": "摄像头"},
    "kind_mirror": {"en": "Mirror", "zh-CN": "智能镜"},
    "kind_pos": {"en": "Till", "zh-CN": "收银机"},
    "kind_kiosk": {"en": "Kiosk", "zh-CN": "自助终端"},
    "kind_frigate": {"en": "Frigate", "zh-CN": "Frigate"},
    "state_online": {"en": "Online", "zh-CN": "在线"},
    "state_offline": {"en": "Offline", "zh-CN": "离线"},
    "state_never": {"en": "Not seen yet", "zh-CN": "从未连接"},
    "last_heard": {"en": "heard {ago}", "zh-CN": "{ago}有消息"},
    "people_in_view": {"en": "in view now {people}", "zh-CN": "画面中 {people} 人"},
    # What leaves
    "what_leaves": {"en": "What leaves this shop", "zh-CN": "哪些数据会离开本店"},
    "what_leaves_why": {
        "en": "Pictures are never stored and never sent. A count of people leaves only for a group of at least {k}, and "
        "blurred by random noise. Sales totals leave exact: they are the shop's own books.",
        "zh-CN": "画面从不保存，也从不发送。人数统计只有在至少 {k} 人次时才会发出，并加入随机噪声。"
        "销售合计是门店自己的账目，按实际数字发送。",
    },
    "headquarters": {"en": "Headquarters", "zh-CN": "总部"},
    "hq_reached": {"en": "Reached {ago}", "zh-CN": "{ago}连接成功"},
    "hq_waiting": {"en": "Not tried yet", "zh-CN": "尚未尝试连接"},
    "hq_lost": {
        "en": "Not reached since {time}. Nothing is lost; it waits here.",
        "zh-CN": "自 {time} 起无法连接。数据不会丢失，在此等候。",
    },
    "hq_never": {
        "en": "Not reached yet. Nothing is lost; it waits here.",
        "zh-CN": "尚未连接成功。数据不会丢失，在此等候。",
    },
    "hq_not_set": {"en": "Not set up, so nothing leaves", "zh-CN": "未设置，因此没有数据发出"},
    "sync_absent": {"en": "The sync process has not written anything yet", "zh-CN": "同步进程尚未写入任何数据"},
    "sync_unreadable": {"en": "The sync process's record cannot be read", "zh-CN": "无法读取同步进程的记录"},
    "events_waiting": {"en": "Waiting to be sent", "zh-CN": "等待发送"},
    "nothing_waiting": {"en": "nothing", "zh-CN": "无"},
    "oldest_waiting": {"en": "{events} · oldest {ago}", "zh-CN": "{events} 条 · 最早 {ago}"},
    "room_left": {"en": "Room left", "zh-CN": "剩余空间"},
    "room_plenty": {"en": "plenty: a month or more", "zh-CN": "充足：一个月以上"},
    "room_unknown": {"en": "unknown until more has been written", "zh-CN": "未知，数据尚少"},
    "room_about": {"en": "about {span} at today's pace", "zh-CN": "按目前速度约 {span}"},
    "room_none": {
        "en": "none: nothing more is released until headquarters takes some",
        "zh-CN": "已满：总部取走数据之前不再放行",
    },
    "released_today": {"en": "Counts sent out today", "zh-CN": "今日放行的统计"},
    "suppressed_today": {"en": "Held back today: group too small", "zh-CN": "今日扣留：人数太少"},
    "refused_by_hq": {"en": "Refused by headquarters", "zh-CN": "被总部拒收"},
    "privacy_budget": {"en": "Privacy budget used today", "zh-CN": "今日已用隐私预算"},
    "privacy_budget_why": {
        "en": "Every count has a budget (ε) of its own; shown is the one used most. Used up, it leaves no more until tomorrow.",
        "zh-CN": "每项统计都有各自的预算（ε），此处显示用得最多的一项。用完之后，该项明天之前不再放行。",
    },
    "budget_of": {"en": "{spent} of {limit}", "zh-CN": "{spent} / {limit}"},
    "metric_visits": {"en": "Comings and goings", "zh-CN": "进出人次"},
    "metric_zone_entries": {"en": "Zones", "zh-CN": "区域"},
    "metric_mood": {"en": "Mood", "zh-CN": "心情"},
    "metric_sizes": {"en": "Sizes asked for", "zh-CN": "询问尺码"},
    "metric_area_visits": {"en": "Area visits", "zh-CN": "区域到访"},
    "metric_dwell": {"en": "Time in areas", "zh-CN": "停留时长"},
    "metric_queue_waits": {"en": "Queue waits", "zh-CN": "排队等候"},
    "metric_paths": {"en": "Paths", "zh-CN": "动线"},
    "metric_capture": {"en": "Passing and coming in", "zh-CN": "路过与进店"},
    "metric_groups": {"en": "Groups", "zh-CN": "结伴进店"},
    "metric_heat": {"en": "Heat map", "zh-CN": "热力图"},
    "metric_consents": {"en": "Choices at the kiosk", "zh-CN": "自助屏上的选择"},
    # The box
    "this_box": {"en": "This box", "zh-CN": "本机"},
    "frames_analysed": {"en": "Pictures analysed", "zh-CN": "已分析的画面"},
    "frames_still": {"en": "of them still, not looked at again", "zh-CN": "其中静止未重复分析"},
    "frames_skipped": {"en": "Pictures skipped", "zh-CN": "跳过的画面"},
    "messages_stored": {"en": "Messages taken in", "zh-CN": "已接收的消息"},
    "letters_refused": {"en": "Messages refused today", "zh-CN": "今日拒收的消息"},
    "delay": {"en": "From device to record", "zh-CN": "从设备到入库"},
    "delay_of": {"en": "usually {p50}, rarely over {p99}", "zh-CN": "通常 {p50}，很少超过 {p99}"},
    "day_begins": {"en": "The day begins at midnight, {timezone}.", "zh-CN": "一天从零点开始，时区 {timezone}。"},
    # Time
    "just_now": {"en": "just now", "zh-CN": "刚刚"},
    "ago": {"en": "{span} ago", "zh-CN": "{span}前"},
    "seconds": {"en": "{n} s", "zh-CN": "{n} 秒"},
    "minutes": {"en": "{n} min", "zh-CN": "{n} 分钟"},
    "hours": {"en": "{n} h", "zh-CN": "{n} 小时"},
    "days": {"en": "{n} d", "zh-CN": "{n} 天"},
    "milliseconds": {"en": "{n} ms", "zh-CN": "{n} 毫秒"},
    "date": {"en": "{day} {month} {year}", "zh-CN": "{year}年{month}{day}日"},
    "date_and_weekday": {"en": "{weekday}, {date}", "zh-CN": "{date} {weekday}"},
    "weekdays": {
        "en": "Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday",
        "zh-CN": "星期一|星期二|星期三|星期四|星期五|星期六|星期日",
    },
    "months": {
        "en": "January|February|March|April|May|June|July|August|September|October|November|December",
        "zh-CN": "1月|2月|3月|4月|5月|6月|7月|8月|9月|10月|11月|12月",
    },
}
"""Message id → language → text. Lists in one text are parted by bars."""
