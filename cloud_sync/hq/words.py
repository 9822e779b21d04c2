"""What the HQ page says, in English and Simplified Chinese, and how it writes times and money."""

from __future__ import annotations

from dataclasses import dataclass

from edge.serving.language import Language, accepted_language, known_language

__all__ = ["Words", "ago", "choose_language", "money", "words"]

_NO_MINOR_UNIT = frozenset({"BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "VND", "XAF"})
_THREE_DIGITS = frozenset({"BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"})


@dataclass(frozen=True, slots=True)
class Words:
    """All the page's words in one language. The `ago` words and `overdue` take a number."""

    title: str
    lead: str
    store: str
    last_seen: str
    never: str
    late: str
    events: str
    visits_today: str
    by_hour: str
    takings_today: str
    questions: str
    overdue: str
    erasures: str
    no_stores: str
    note: str
    just_now: str
    minutes_ago: str
    hours_ago: str
    days_ago: str
    other_language: str


_EN = Words(
    title="Stores",
    lead="What the stores have sent, added up.",
    store="Store",
    last_seen="Last heard of",
    never="never yet",
    late="silent",
    events="Events",
    visits_today="Visits today",
    by_hour="By hour",
    takings_today="Takings today",
    questions="Questions waiting",
    overdue="{} overdue",
    erasures="Erasures waiting",
    no_stores="No store yet. Add one with: threshold hq add-store STORE --data DIR",
    note="Visits are counts with noise added in the shop, so that nobody can be told apart. Takings are exact.",
    just_now="just now",
    minutes_ago="{} min ago",
    hours_ago="{} h ago",
    days_ago="{} days ago",
    other_language="中文",
)

_ZH = Words(
    title="门店",
    lead="各门店已上报数据的汇总。",
    store="门店",
    last_seen="最近上报",
    never="尚未上报",
    late="无响应",
    events="事件",
    visits_today="今日客流",
    by_hour="分时",
    takings_today="今日销售额",
    questions="待回复提问",
    overdue="{} 条已逾期",
    erasures="待处理删除请求",
    no_stores="还没有门店。添加命令：threshold hq add-store STORE --data DIR",
    note="客流数在门店内已加入噪声，无法识别任何个人；销售额为准确数值。",
    just_now="刚刚",
    minutes_ago="{} 分钟前",
    hours_ago="{} 小时前",
    days_ago="{} 天前",
    other_language="English",
)


def words(language: Language) -> Words:
    """The words of `language`."""
    return _ZH if language == "zh-CN" else _EN


def choose_language(asked: str | None, accepted: str) -> Language:
    """The language asked for by `?lang=`, else the reader's most preferred of an Accept-Language header, else English."""
    return known_language(asked) or accepted_language(accepted)


def ago(seconds: int | None, say: Words) -> str:
    """How long ago something was, roughly."""
    if seconds is None:
        return say.never
    if seconds < 60:
        return say.just_now
    if seconds < 3600:
        return say.minutes_ago.format(seconds // 60)
    if seconds < 48 * 3600:
        return say.hours_ago.format(seconds // 3600)
    return say.days_ago.format(seconds // 86400)


def money(minor: int, currency: str) -> str:
    """An amount in minor units, written out: `1,234.50 EUR`."""
    digits = 0 if currency in _NO_MINOR_UNIT else 3 if currency in _THREE_DIGITS else 2
    whole, part = divmod(abs(minor), 10**digits)
    sign = "−" if minor < 0 else ""
    return f"{sign}{whole:,}{f'.{part:0{digits}d}' if digits else ''} {currency}"
