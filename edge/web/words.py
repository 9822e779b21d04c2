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
        "en": "The gateway is ready; no device has spoken to it yet. Switch one on, and check that it sends to this box.",
        "zh-CN": "网关已就绪，尚无设备与它通信。请接通设备电源，并确认设备的发送地址是本机。",
    },
    "no_camera_yet": {
        "en": "No camera has reported yet: switch it on, and check in its own settings that it sends to this box.",
        "zh-CN": "还没有摄像头上报：请接通电源，并在摄像头设置中确认发送地址是本机。",
    },
    "cameras_offline": {
        "en": "Offline: {cameras}. Nobody is counted there until it is back. Check its power and network.",
        "zh-CN": "{cameras} 已离线，恢复之前该处不计数。请检查电源和网络。",
    },
    "mend_dark": {
        "en": "{cameras}: the picture is dark. Is the light on there?",
        "zh-CN": "{cameras}：画面过暗，请检查该处照明。",
    },
    "mend_covered": {
        "en": "{cameras}: something covers the lens. Please clear it.",
        "zh-CN": "{cameras}：镜头被遮挡，请移开遮挡物。",
    },
    "mend_moved": {
        "en": "{cameras}: the camera looks elsewhere than before. Turn it back, or draw its lines and areas anew.",
        "zh-CN": "{cameras}：拍摄角度已改变，请转回原位，或重新划定计数线和区域。",
    },
    "mend_blurred": {
        "en": "{cameras}: the picture is blurred. Wipe the lens, or set its focus.",
        "zh-CN": "{cameras}：画面模糊，请擦拭镜头或重新对焦。",
    },
    "mend_frozen": {
        "en": "{cameras}: the same picture comes again and again. Switch the camera off and on.",
        "zh-CN": "{cameras}：画面静止不变，请重启摄像头。",
    },
    "list_comma": {"en": ", ", "zh-CN": "、"},
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
    "since_midnight": {"en": "By comings and goings since midnight", "zh-CN": "按零点以来的进出推算"},
    "since_closing": {
        "en": "By comings and goings since closing time, {clock}",
        "zh-CN": "按打烊（{clock}）以来的进出推算",
    },
    "waiting_now": {"en": "In queues now", "zh-CN": "正在排队"},
    "queue_part": {"en": "{queue} {people}", "zh-CN": "{queue} {people} 人"},
    "queue_unseen": {
        "en": "No camera has shown a queue in the last minutes.",
        "zh-CN": "最近几分钟没有排队画面。",
    },
    "capture_rate": {"en": "Capture rate", "zh-CN": "路过进店率"},
    "capture_of": {
        "en": "{came} of {passed} who passed the window came in",
        "zh-CN": "橱窗前路过 {passed}，进店 {came}",
    },
    "capture_few": {"en": "Fewer than {k} have passed by so far", "zh-CN": "目前路过不足 {k} 人次"},
    # Charts
    "by_hour": {"en": "Today by the hour", "zh-CN": "今日分时客流"},
    "hours_summary": {
        "en": "Busiest hour so far: from {time}, with {peak} coming in.",
        "zh-CN": "目前最忙的一小时从 {time} 开始，进店 {peak} 人次。",
    },
    "hours_quiet": {"en": "Nobody has come or gone today.", "zh-CN": "今天还没有人进出。"},
    "one_bar": {"en": "One bar is {length}", "zh-CN": "每柱 {length}"},
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
    # Entrances and zones
    "entrances": {"en": "Entrances", "zh-CN": "出入口"},
    "entrance": {"en": "Entrance", "zh-CN": "出入口"},
    "no_entrances": {
        "en": "No counting line is set up, so nobody is counted. Add one to a camera in store.toml.",
        "zh-CN": "尚未设置计数线，因此没有计数。请在 store.toml 中为摄像头添加。",
    },
    "no_cameras": {
        "en": "No camera is set up, so nobody is counted. Add one under [[cameras]] in store.toml.",
        "zh-CN": "尚未设置摄像头，因此没有计数。请在 store.toml 的 [[cameras]] 中添加。",
    },
    "in_company": {
        "en": "About {percent} of the visitors came in together with somebody.",
        "zh-CN": "约 {percent} 的顾客结伴进店。",
    },
    "drift": {
        "en": "At closing time, {time}, {people} more had been counted in than out. The count began again at zero.",
        "zh-CN": "打烊时（{time}）进店比离店多计 {people} 人，之后从零重新计数。",
    },
    "drift_none": {
        "en": "At closing time, {time}, everybody counted in had been counted out.",
        "zh-CN": "打烊时（{time}）进店与离店人数相符。",
    },
    "zones": {"en": "Zones", "zh-CN": "门店分区"},
    "zone_entries": {"en": "Times somebody came into view", "zh-CN": "有人进入画面的次数"},
    "no_zones": {"en": "No zone has a camera.", "zh-CN": "没有分区装有摄像头。"},
    # Areas, queues, paths, heat
    "areas_and_queues": {"en": "Areas and queues", "zh-CN": "关注区域与排队"},
    "areas": {"en": "Areas", "zh-CN": "关注区域"},
    "areas_what": {
        "en": "Visits today: how often somebody stayed for some seconds",
        "zh-CN": "今日到访：停留数秒以上的人次",
    },
    "queues": {"en": "Queues", "zh-CN": "排队"},
    "people_waiting": {"en": "waiting", "zh-CN": "人排队"},
    "queue_joined": {"en": "joined today {people}", "zh-CN": "今日排队 {people} 人次"},
    "queue_longest": {"en": "longest today {people}", "zh-CN": "今日最长 {people} 人"},
    "typical_wait": {"en": "typical wait {span}", "zh-CN": "通常等候 {span}"},
    "here_now": {"en": "here now {people}", "zh-CN": "此刻 {people} 人"},
    "typical_stay": {"en": "typical stay {span}", "zh-CN": "通常停留 {span}"},
    "shop_windows": {"en": "Shop windows", "zh-CN": "橱窗"},
    "windows_what": {"en": "Passed by today", "zh-CN": "今日路过人次"},
    "window_came": {"en": "came in {people}", "zh-CN": "进店 {people}"},
    "window_stopped": {"en": "stopped {people}", "zh-CN": "驻足 {people}"},
    "no_areas": {
        "en": "None is set up. Draw areas in a camera's picture ([[cameras.areas]] in store.toml) to see here how long people "
        "stay, where they queue, and how many of those who pass by come in.",
        "zh-CN": "尚未设置。在 store.toml 的 [[cameras.areas]] 中划定画面区域，"
        "这里就会显示停留时长、排队情况和路过进店率。",
    },
    "paths": {"en": "From area to area", "zh-CN": "区域间动线"},
    "paths_why": {
        "en": "A path shows once {k} have taken it.",
        "zh-CN": "同一动线满 {k} 人次后才会显示。",
    },
    "no_paths": {"en": "No path has been taken that often yet.", "zh-CN": "还没有动线达到这一人次。"},
    "heat": {"en": "Where people linger", "zh-CN": "顾客驻留热力图"},
    "heat_why": {
        "en": "As the camera sees the floor. A spot shows once {k} people have lingered in it; there is no picture behind it.",
        "zh-CN": "按摄像头视角显示。同一位置满 {k} 人次驻留后才会着色，背后不保存任何画面。",
    },
    "heat_less": {"en": "Fewer people", "zh-CN": "人少"},
    "heat_more": {"en": "More people", "zh-CN": "人多"},
    "heat_most": {"en": "Most linger {spot}.", "zh-CN": "驻留最多的位置：{spot}。"},
    "heat_spent": {"en": "All together spent {span} in view.", "zh-CN": "顾客在画面中累计停留 {span}。"},
    "heat_few": {
        "en": "Fewer than {k} people have lingered in any one spot so far.",
        "zh-CN": "目前各处驻留均不足 {k} 人次。",
    },
    "spots": {
        "en": "at the upper left|at the top|at the upper right|on the left|in the middle|on the right|at the lower left|"
        "at the bottom|at the lower right",
        "zh-CN": "左上|上方|右上|左侧|中间|右侧|左下|下方|右下",
    },
    "lasted_0_5": {"en": "under 5 s", "zh-CN": "不到 5 秒"},
    "lasted_5_15": {"en": "5–15 s", "zh-CN": "5–15 秒"},
    "lasted_15_30": {"en": "15–30 s", "zh-CN": "15–30 秒"},
    "lasted_30_60": {"en": "30–60 s", "zh-CN": "30–60 秒"},
    "lasted_60_180": {"en": "1–3 min", "zh-CN": "1–3 分钟"},
    "lasted_180": {"en": "over 3 min", "zh-CN": "3 分钟以上"},
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
    "devices_in_need": {"en": "{away} of {total} need a look", "zh-CN": "{total} 台中有 {away} 台需要查看"},
    "no_devices": {"en": "No device is set up in store.toml.", "zh-CN": "store.toml 中尚未设置设备。"},
    "seen_dark": {"en": "Picture dark", "zh-CN": "画面过暗"},
    "seen_covered": {"en": "Lens covered", "zh-CN": "镜头被遮挡"},
    "seen_moved": {"en": "Camera moved", "zh-CN": "角度已改变"},
    "seen_blurred": {"en": "Picture blurred", "zh-CN": "画面模糊"},
    "seen_frozen": {"en": "Picture frozen", "zh-CN": "画面静止"},
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
    # Pictures
    "camera": {"en": "Camera", "zh-CN": "摄像头"},
    "pictures": {"en": "Pictures a minute", "zh-CN": "每分钟画面"},
    "pictures_received": {"en": "Came", "zh-CN": "收到"},
    "pictures_analysed": {"en": "Looked at", "zh-CN": "已分析"},
    "pictures_spared": {"en": "Nothing moved", "zh-CN": "无变化"},
    "pictures_superseded": {"en": "Overtaken", "zh-CN": "被跳过"},
    "pictures_why": {
        "en": "Not every picture is looked at. Where nothing has moved since the last one, its result stands. Where this "
        "box is behind, a newer picture overtakes the older: if many are overtaken, let the camera send fewer a second.",
        "zh-CN": "并非每幅画面都会分析。与上一幅相比没有变化时，沿用上次结果。本机来不及处理时，较新的画面会取代较旧的："
        "如果被跳过的画面较多，请降低摄像头的每秒帧数。",
    },
    "no_pictures": {
        "en": "No camera has sent a picture in the last two minutes.",
        "zh-CN": "最近两分钟没有摄像头传来画面。",
    },
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
    "metric_zone_entries": {"en": "Zones", "zh-CN": "分区"},
    "metric_mood": {"en": "Mood", "zh-CN": "心情"},
    "metric_sizes": {"en": "Sizes asked for", "zh-CN": "询问尺码"},
    "metric_area_visits": {"en": "Area visits", "zh-CN": "关注区域到访"},
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
    "date_and_clock": {"en": "{date}, {clock}", "zh-CN": "{date} {clock}"},
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
