"""SVG elements. Texts and attributes are escaped by the library that writes them; colours and dashes come from classes.

The style of series number n is the class `series-n` of the page's style sheet. Each series also has a dash and the shape of a
mark of its own, so that nobody needs to tell colours apart.
"""

import xml.etree.ElementTree as ElementTree
from collections.abc import Iterable
from xml.etree.ElementTree import Element

from markupsafe import Markup

from trainingrun_trainer.report.words import printable, shortened

Point = tuple[float, float]

_LONGEST_TEXT = 200
_MOST_GROWTH = 1.1
STYLES = 8
"""Series whose style is their own; later ones repeat it."""
_SHAPES = (
    "M-4,0a4,4 0 1,0 8,0a4,4 0 1,0 -8,0",  # circle
    "M-3.6,-3.6h7.2v7.2h-7.2z",  # square
    "M0,-4.8L4.6,3.6H-4.6z",  # triangle
    "M0,-5L5,0L0,5L-5,0z",  # diamond
    "M0,4.8L4.6,-3.6H-4.6z",  # triangle upside down
    "M-1.5,-4.5h3v3h3v3h-3v3h-3v-3h-3v-3h3z",  # plus
    "M-4.6,-2.6L-2.6,-4.6L0,-2L2.6,-4.6L4.6,-2.6L2,0L4.6,2.6L2.6,4.6L0,2L-2.6,4.6L-4.6,2.6L-2,0z",  # cross
    "M0,-5L4.8,-1.5L3,4.2H-3L-4.8,-1.5z",  # pentagon
)


def root(*, width: float, height: float, label: str, is_fixed: bool = False) -> Element:
    """A drawing that fills the width it is given, or, when `is_fixed`, is never narrower than its own width, nor much wider."""
    attributes = {"viewBox": f"0 0 {_number(width)} {_number(height)}", "role": "img", "aria-label": _bounded(label)}
    if is_fixed:
        attributes["style"] = f"min-width:{_number(width)}px;max-width:{_number(_MOST_GROWTH * width)}px"
    return Element("svg", attributes)


def add(parent: Element, tag: str, *, text: str = "", tooltip: str = "", kind: str = "", **attributes: float | str) -> Element:
    """An element below another. `kind` is its class; an underscore in the name of an attribute stands for a hyphen."""
    named = {name.replace("_", "-"): value if isinstance(value, str) else _number(value) for name, value in attributes.items()}
    element = ElementTree.SubElement(parent, tag, ({"class": kind} if kind else {}) | named)
    if tooltip:
        ElementTree.SubElement(element, "title").text = _bounded(tooltip)
    if text:
        element.text = _bounded(text)
    return element


def path(points: Iterable[Point]) -> str:
    """A line through these points."""
    return "M" + "L".join(f"{_number(x)},{_number(y)}" for x, y in points)


def mark(parent: Element, at: Point, *, series: int, tooltip: str = "", kind: str = "mark", size: float = 1) -> Element:
    """The mark of a series, around a point."""
    place = f"translate({_number(at[0])},{_number(at[1])})" + (f"scale({_number(size)})" if size != 1 else "")
    shape = _SHAPES[series % STYLES]
    return add(parent, "path", d=shape, transform=place, kind=f"{kind} series-{series % STYLES}", tooltip=tooltip)


def swatch(*, series: int, has_line: bool, has_mark: bool) -> Markup:
    """What a legend shows of a series."""
    drawing = Element("svg", {"viewBox": "0 0 34 12", "width": "34", "height": "12", "aria-hidden": "true"})
    if has_line:
        add(drawing, "path", d="M1,6H33", kind=f"line series-{series % STYLES}")
    if has_mark:
        mark(drawing, (17, 6), series=series)
    return markup(drawing)


def markup(drawing: Element) -> Markup:
    """The drawing as text that needs no escaping any more."""
    return Markup(ElementTree.tostring(drawing, encoding="unicode"))


def text_width(text: str, *, font_size: float = 12) -> float:
    """About how wide a text is; ideographs are about twice as wide as letters."""
    return sum(font_size * (1.0 if ord(letter) >= 0x1100 else 0.56) for letter in text)


def _bounded(text: str) -> str:
    return printable(shortened(text, most=_LONGEST_TEXT))


def _number(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")
