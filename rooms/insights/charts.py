"""Charts as SVG of plain shapes with classes, which the page's style sheet colours, light and dark. Knows no facts."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

WIDTH, HEIGHT = 720, 220
LEFT, BOTTOM, TOP = 44, 24, 10


@dataclass(frozen=True)
class Column:
    """One column: its label, and its parts from the ground up."""

    label: str
    parts: tuple[int, ...]


def columns(made: Sequence[Column], names: Sequence[str], title: str) -> SafeString:
    """Return stacked columns; part n has the class `part-n`. `names` are the parts', for whoever points at one."""
    top = ceiling(max((sum(column.parts) for column in made), default=0))
    step = (WIDTH - LEFT) / max(1, len(made))
    height = HEIGHT - BOTTOM - TOP
    every = math.ceil(len(made) / 8)

    def y(value: float) -> float:
        return round(TOP + height * (1 - value / top), 1)

    lines = format_html_join(
        "",
        '<line class="guide" x1="{}" x2="{}" y1="{}" y2="{}"/>'
        '<text class="tick" x="{}" y="{}" text-anchor="end">{}</text>',
        ((LEFT, WIDTH, y(t), y(t), LEFT - 6, y(t) + 4, f"{t:g}") for t in (0, top / 2, top)),
    )
    bars, labels = [], []
    for place, column in enumerate(made):
        x, ground = LEFT + place * step, 0
        for number, part in enumerate(column.parts):
            if part:
                roof = y(ground + part)
                hint = f"{column.label} · {names[number]}: {part}"
                bars.append(
                    (number, round(x + step * 0.15, 1), roof, round(step * 0.7, 1), round(y(ground) - roof, 1), hint)
                )
            ground += part
        if place % every == 0:
            labels.append((round(x + step / 2, 1), HEIGHT - 6, column.label))
    drawn = format_html_join(
        "",
        '<rect class="part-{}" x="{}" y="{}" width="{}" height="{}"><title>{}</title></rect>',
        bars,
    )
    under = format_html_join("", '<text class="tick" x="{}" y="{}" text-anchor="middle">{}</text>', labels)
    return format_html(
        '<svg class="chart" viewBox="0 0 {} {}" role="img" aria-label="{}">{}{}{}</svg>',
        WIDTH,
        HEIGHT,
        title,
        lines,
        drawn,
        under,
    )


def bar(n: int, most: int) -> SafeString:
    """Return a bar as long as `n` is of `most`; the number itself stands beside it."""
    return format_html(
        '<svg class="bar-of" viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true">'
        '<rect class="all" width="100" height="8" rx="2"/><rect class="part-0" width="{}" height="8" rx="2"/></svg>',
        round(100 * n / most, 1) if most else 0,
    )


def ceiling(highest: float) -> int:
    """Return the end of an axis: the next of 2, 4, 10, 20, 40, 100 …"""
    if highest <= 2:
        return 2
    magnitude = 10 ** math.floor(math.log10(highest))
    return int(next(magnitude * step for step in (1, 2, 4, 10) if magnitude * step >= highest))
