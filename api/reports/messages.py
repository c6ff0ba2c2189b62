"""What the report says, message by message, in every language. Data only."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Message:
    """One message. {names} are filled in. one: the English singular, used when n is 1."""

    en: str
    zh: str
    one: str | None = None


MESSAGES = {
    # the page
    "title": Message("Daily report", "每日报告"),
    "of_day": Message("Daily report, {day}", "每日报告，{day}"),
    "brand": Message("Lastlook", "Lastlook"),
    "zone": Message("Local day in {zone}", "当地日期（{zone}）"),
    "made": Message("made {at}", "生成于 {at}"),
    "hours": Message("The clock was changed: this day has {n} hours.", "当天调整了时钟：共 {n} 小时。"),
    "running": Message("This day is still running. Figures up to {at}.", "当天尚未结束，数据截至 {at}。"),
    "not_begun": Message("This day has not begun yet.", "这一天尚未开始。"),
    "empty": Message("No parcel was presented on this day.", "当天没有包裹送检。"),
    "empty_yet": Message("No parcel has been presented so far.", "目前还没有包裹送检。"),
    "unconfirmed": Message(
        "{n} overrides have no second person behind them. They are marked in the list below.",
        "有 {n} 次人工放行没有第二人确认，已在下表中标出。",
        one="1 override has no second person behind it. It is marked in the list below.",
    ),
    "page": Message(
        '"Page " counter(page) " of " counter(pages)', '"第 " counter(page) " 页，共 " counter(pages) " 页"'
    ),
    "machine": Message("The same figures as JSON", "同样的数据（JSON）"),
    "other_language": Message("中文", "English"),
    "all_days": Message("All days", "所有日期"),
    "day_before": Message("Day before", "前一天"),
    "day_after": Message("Day after", "后一天"),
    "none": Message("–", "–"),
    "more": Message("and {n} more, in the JSON", "另有 {n} 条，见 JSON"),
    "list_comma": Message(", ", "、"),
    "colon": Message(": ", "："),
    # days and numbers
    "day_long": Message("{weekday}, {day} {month} {year}", "{year}年{month}{day}日 {weekday}"),
    "day_short": Message("{day} {month}", "{month}{day}日"),
    "points": Message("{points} points", "{points} 个百分点"),
    "range": Message("{low} to {high}", "{low} 至 {high}"),
    "interval": Message("95 %: {low} to {high}", "95% 区间 {low} 至 {high}"),
    "percent_sign": Message(" %", "%"),
    # the shortest stave
    "stave": Message("The shortest stave", "最短板"),
    "stave_defect": Message(
        "Shortest stave: {step}, {count} of {of} parcels ({rate}){place}.",
        "最短板：{step}，{of} 个包裹中有 {count} 个（{rate}）{place}。",
        one="Shortest stave: {step}, {count} of {of} parcel ({rate}){place}.",
    ),
    "stave_late": Message(
        "Shortest stave: {step}, {count} of {of} parcels promised for this day ({rate}){place}.",
        "最短板：{step}，承诺当天送达的 {of} 个包裹中有 {count} 个（{rate}）{place}。",
        one="Shortest stave: {step}, {count} of {of} parcel promised for this day ({rate}){place}.",
    ),
    "stave_at": Message(", most at {station}", "，多数在 {station}"),
    "stave_at_between": Message(
        ", most at {station} between {start} and {end}", "，多数在 {station}，{start} 至 {end} 之间"
    ),
    "stave_rival": Message(" {rival} ({count}) is not clearly behind.", "{rival}（{count} 个）与之相差不明显。"),
    "stave_few": Message(" So few may be chance.", "数量很少，可能只是偶然。"),
    "stave_none": Message(
        "No short stave: no defect stood, and no promise was missed.", "没有短板：没有成立的缺陷，也没有错过承诺。"
    ),
    "stave_none_yet": Message(
        "No short stave so far: no defect stands, and no promise was missed.",
        "目前没有短板：没有成立的缺陷，也没有错过承诺。",
    ),
    "stave_unknown": Message(
        "No stave to measure: nothing was presented, and no promise ended on this day.",
        "无从衡量短板：当天没有送检，也没有到期的承诺。",
    ),
    "late_with": Message("late with {carrier}", "{carrier} 延误"),
    # headline figures
    "headline": Message("The day in figures", "当日数据"),
    "presented": Message("Parcels presented", "送检包裹"),
    "inspections": Message("{n} inspections", "{n} 次检验", one="1 inspection"),
    "yield": Message("First-pass yield", "一次通过率"),
    "held_once": Message("Held", "拦截"),
    "held_note": Message("{n} still held", "{n} 个仍被拦截"),
    "retakes": Message("Retakes", "重拍"),
    "retakes_fine": Message("none waiting", "无等待"),
    "held_fine": Message("none held still", "均已放行"),
    "retakes_note": Message("{n} wait for a picture", "{n} 个等待重拍", one="1 waits for a picture"),
    "overrides": Message("Overrides", "人工放行"),
    "overrides_note": Message("{n} unconfirmed", "{n} 次未确认"),
    "overrides_fine": Message("all confirmed", "均已确认"),
    "nothing": Message("none", "无"),
    "dpmo": Message("DPMO", "DPMO"),
    "dpmo_note": Message("{failed} of {made} checks failed", "{made} 项中 {failed} 项不合格"),
    "compared": Message(
        "{before} ({day}): {presented} parcels, first-pass yield {rate}. Change: {points}, {meaning}.",
        "{before}（{day}）：{presented} 个包裹，一次通过率 {rate}。变化：{points}，{meaning}。",
        one="{before} ({day}): 1 parcel, first-pass yield {rate}. Change: {points}, {meaning}.",
    ),
    "compared_empty": Message("{before} ({day}): no parcels.", "{before}（{day}）：没有包裹。"),
    "by_chance": Message("no more than chance would do", "未超出偶然波动"),
    "beyond_chance": Message("more than chance would do", "超出偶然波动"),
    # where the parcels stand
    "outcomes": Message("Where the parcels stand", "包裹去向"),
    "outcome": Message("Last state", "最后状态"),
    "first_pass": Message("Released on the first pass", "一次通过"),
    "reworked": Message("Released after rework", "返工后放行"),
    "overridden": Message("Released by a person", "人工放行"),
    "held": Message("Still held", "仍被拦截"),
    "retake": Message("Waiting for a picture", "等待重拍"),
    "parcels": Message("Parcels", "包裹数"),
    "share": Message("Share", "占比"),
    "total": Message("Total", "合计"),
    # checks
    "checks": Message("Checks", "检查项"),
    "check": Message("Check", "检查项"),
    "integrity": Message("Packaging whole", "包装完好"),
    "contents": Message("Contents complete", "内容齐全"),
    "marks": Message("Handling marks", "储运标志"),
    "label": Message("Label", "面单"),
    "passed": Message("Passed", "合格"),
    "failed": Message("Failed", "不合格"),
    "unsure": Message("Unsure", "存疑"),
    "not_made": Message("Not made", "未检"),
    # defects
    "defects": Message("Defects by kind", "缺陷分类"),
    "defects_none": Message("No check failed on this day.", "当天没有检查不合格。"),
    "defect": Message("Defect", "缺陷"),
    "standing": Message("Stands", "成立"),
    "overruled": Message("Overruled", "被推翻"),
    "cumulative": Message("Cumulative", "累计"),
    "cumulative_share": Message("Cumulative share", "累计占比"),
    "other": Message("other kinds", "其他"),
    "pareto_title": Message("Pareto chart of defects by kind", "缺陷分类帕累托图"),
    "pareto_desc": Message(
        "Bars: parcels with each kind of defect, most frequent first; the hatched part was overruled by a person. "
        "Line: cumulative share. The table that follows has the same numbers.",
        "柱：各类缺陷的包裹数，由多到少；斜线部分被人工推翻。折线：累计占比。下表为同样的数据。",
    ),
    "legend_standing": Message("defect stands", "缺陷成立"),
    "legend_overruled": Message("overruled by a person", "被人工推翻"),
    "legend_cumulative": Message("cumulative share", "累计占比"),
    # stations
    "stations": Message("Stations", "工位"),
    "station": Message("Station", "工位"),
    "interval_column": Message("95 % interval", "95% 置信区间"),
    # carriers
    "carriers": Message("Carriers", "承运商"),
    "carriers_none": Message("Nothing was dispatched, delivered, due or late.", "没有发出、送达、到期或延误的包裹。"),
    "carrier": Message("Carrier", "承运商"),
    "dispatched": Message("Sent", "发出"),
    "on_time": Message("Delivered on time", "按时送达"),
    "delivered_late": Message("Delivered late", "迟到送达"),
    "due": Message("Promised for this day", "承诺当天送达"),
    "became_late": Message("Promise missed", "错过承诺"),
    "open_late": Message("Late, open", "延误在途"),
    "at_risk": Message("At risk", "延误风险"),
    "oldest": Message("Oldest of these (promised)", "其中最久 (承诺日)"),
    "oldest_promised": Message("({day})", "({day})"),
    "contacts": Message(
        "Customers to contact: {open} open, {opened} opened and {resolved} resolved on this day.",
        "待联系客户：{open} 个未结，当天新增 {opened} 个，解决 {resolved} 个。",
    ),
    # lists
    "override_list": Message("Overrides", "人工放行"),
    "reasons": Message("Reasons", "原因"),
    "order": Message("Order", "订单"),
    "reason": Message("Reason", "原因"),
    "operator": Message("Operator", "操作员"),
    "approved_by": Message("Approved by", "批准人"),
    "at": Message("At", "时间"),
    "nobody": Message("nobody else", "无第二人"),
    "held_list": Message("Parcels still held", "仍被拦截的包裹"),
    "since": Message("Since", "起始"),
    "seen": Message("What was seen", "所见"),
    "doubt": Message("a doubt or a check not made", "存疑或未检"),
    # four weeks
    "weeks": Message("First-pass yield, four weeks", "四周一次通过率"),
    "strip_title": Message("First-pass yield of the last four weeks", "最近四周一次通过率"),
    "strip_desc": Message(
        "Line: first-pass yield of each day with parcels, this day last. Dashed: limits of a p chart. The table that "
        "follows has the same numbers.",
        "折线：有包裹的各天的一次通过率，最后为当天。虚线：p 控制图界限。下表为同样的数据。",
    ),
    "limits_none": Message(
        "No limits yet: {n} earlier days have parcels, limits need {least}.",
        "暂无控制界限：之前有包裹的日子为 {n} 天，需要 {least} 天。",
        one="No limits yet: 1 earlier day has parcels, limits need {least}.",
    ),
    "limits_today": Message("Limits for this day: {low} to {high}.", "当天控制界限：{low} 至 {high}。"),
    "outside": Message("outside its limits", "超出界限"),
    "weeks_table": Message("Yield of each day; in small figures its parcels.", "各天的通过率；小字为包裹数。"),
    "week": Message("Week", "周"),
    "week_of": Message("{first} – {last}", "{first}至{last}"),
    # how to read it
    "reading": Message("How to read this", "说明"),
    "reading_parcel": Message(
        "A parcel is an order: several inspections of one order count once. First pass: released without rework or "
        "override. A retake is a new picture, no rework.",
        "包裹即订单：同一订单的多次检验只计一次。一次通过：未经返工、未经人工放行即放行。重拍只是重新拍照，不算返工。",
    ),
    "reading_defect": Message(
        "A defect is a kind of finding of a failed check, once a parcel; it is overruled when a person released the "
        "parcel against it. DPMO counts failed checks per million checks that were really made.",
        "缺陷指不合格检查所见的一类问题，每个包裹每类计一次；人工放行即推翻。DPMO 为每百万项实际检查中的不合格数。",
    ),
    "reading_stave": Message(
        "The shortest stave is the step with most parcels: a kind of defect that stands, or a carrier that missed "
        "promises ending on this day. A parcel late weighs like a parcel torn.",
        "最短板是涉及包裹最多的一步：成立的某类缺陷，或错过当天到期承诺的某个承运商。迟到一个与破损一个同样计数。",
    ),
    # the index
    "index": Message("Daily reports", "每日报告"),
    "day": Message("Day", "日期"),
}

KINDS = {
    "crush": Message("crushed packaging", "包装压坏"),
    "dent": Message("dented packaging", "包装凹陷"),
    "tear": Message("torn packaging", "包装撕裂"),
    "hole": Message("hole in the packaging", "包装破洞"),
    "wet": Message("wet packaging", "包装受潮"),
    "stain": Message("stained packaging", "包装有污渍"),
    "open_flap": Message("open flap", "箱盖未封"),
    "tape_fault": Message("loose tape", "胶带松脱"),
    "dirty": Message("dirty packaging", "包装脏污"),
    "missing_item": Message("missing item", "缺件"),
    "extra_item": Message("extra item", "多件"),
    "wrong_item": Message("wrong item", "错件"),
    "weight_mismatch": Message("wrong weight", "重量不符"),
    "missing_mark": Message("missing mark", "缺少标志"),
    "wrong_orientation": Message("mark turned wrong", "标志方向错误"),
    "covered_mark": Message("covered mark", "标志被遮挡"),
    "expired_mark": Message("mark no longer valid", "标志已失效"),
    "contradicting_mark": Message("contradicting marks", "标志矛盾"),
    "missing_label": Message("missing label", "缺少面单"),
    "unreadable_label": Message("unreadable label", "面单无法识别"),
    "wrong_label": Message("wrong label", "面单错误"),
}
"""Every finding of the design, named as a thing that a parcel has."""

MONTHS = (
    ("January", "1月"), ("February", "2月"), ("March", "3月"), ("April", "4月"), ("May", "5月"), ("June", "6月"),
    ("July", "7月"), ("August", "8月"), ("September", "9月"), ("October", "10月"), ("November", "11月"),
    ("December", "12月"),
)  # fmt: skip
WEEKDAYS = (
    ("Monday", "星期一"), ("Tuesday", "星期二"), ("Wednesday", "星期三"), ("Thursday", "星期四"), ("Friday", "星期五"),
    ("Saturday", "星期六"), ("Sunday", "星期日"),
)  # fmt: skip
SHORT_MONTHS = tuple((english[:3], chinese) for english, chinese in MONTHS)
SHORT_WEEKDAYS = tuple((english[:3], f"周{chinese[-1]}") for english, chinese in WEEKDAYS)
