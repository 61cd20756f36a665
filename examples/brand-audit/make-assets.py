"""Draws the example's assets: the fictional brand "Halden" in PNG and SVG, its palette and where each file is used.

Run it in this folder: `python3 make-assets.py`. It needs nothing but Python and gives the same pictures every time.
"""

import csv
import math
import os
import struct
import zlib

FIR, EMBER, SAND = (31, 91, 74), (226, 96, 59), (243, 230, 208)
INK, MIST, WHITE = (23, 33, 29), (220, 229, 225), (255, 255, 255)
# What should not be there any more: the colours before the brand was renewed, and a season's fashion.
OLD_TEAL, OLD_VIOLET, HOLIDAY_RED = (0, 150, 170), (122, 78, 196), (200, 16, 46)

PALETTE = [
    ("Fir", FIR, "primary"),
    ("Ember", EMBER, "accent"),
    ("Sand", SAND, "background"),
    ("Ink", INK, "text"),
    ("Mist", MIST, "background"),
    ("White", WHITE, "background"),
]


# Shapes are signed distances: negative inside, in units where the picture is 1 high. Edges come out smooth.
def circle(cx, cy, radius):
    return lambda x, y: math.hypot(x - cx, y - cy) - radius


def box(cx, cy, half_width, half_height, corner=0.0):
    def distance(x, y):
        dx = abs(x - cx) - half_width + corner
        dy = abs(y - cy) - half_height + corner
        return math.hypot(max(dx, 0), max(dy, 0)) + min(max(dx, dy), 0) - corner

    return distance


def line(ax, ay, bx, by, half_width):
    length = (bx - ax) ** 2 + (by - ay) ** 2

    def distance(x, y):
        along = max(0.0, min(1.0, ((x - ax) * (bx - ax) + (y - ay) * (by - ay)) / length)) if length else 0.0
        return math.hypot(x - ax - along * (bx - ax), y - ay - along * (by - ay)) - half_width

    return distance


def ring(cx, cy, radius, half_width):
    return lambda x, y: abs(math.hypot(x - cx, y - cy) - radius) - half_width


def leaf(cx, cy, size, angle):
    """Where two circles overlap, turned by `angle`."""
    cosine, sine = math.cos(angle), math.sin(angle)
    offset, radius = size * 0.75, size * 1.25

    def distance(x, y):
        u, v = (x - cx) * cosine + (y - cy) * sine, -(x - cx) * sine + (y - cy) * cosine
        return max(math.hypot(u - offset, v) - radius, math.hypot(u + offset, v) - radius)

    return distance


def union(*shapes):
    return lambda x, y: min(shape(x, y) for shape in shapes)


def cut(shape, hole):
    return lambda x, y: max(shape(x, y), -hole(x, y))


def mark(cx, cy, size):
    """The brand's mark: a fir of three leaves."""
    return union(
        leaf(cx, cy - 0.12 * size, 0.40 * size, 0.0),
        leaf(cx - 0.27 * size, cy + 0.16 * size, 0.30 * size, -0.75),
        leaf(cx + 0.27 * size, cy + 0.16 * size, 0.30 * size, 0.75),
    )


def word(x, y, height):
    """`halden` in round strokes."""
    half, radius = height * 0.07, height * 0.24
    low, mid, top = y + height * 0.5, y + height * 0.26, y - height * 0.5
    def bowl(at):
        return ring(at + radius, mid, radius, half)

    def stem(at, upper=top):
        return line(at, upper, at, low, half)

    def arch(at):
        upper_half = cut(bowl(at), box(at + radius, mid + height, 2 * radius, height))
        return union(upper_half, stem(at + 2 * radius, mid))

    def e(at):
        opening = box(at + 2 * radius, mid + radius * 0.5, radius * 0.7, radius * 0.24)
        return union(cut(bowl(at), opening), line(at, mid, at + 2 * radius, mid, half * 0.9))

    at = [x + position * height for position in (0, 0.76, 1.5, 1.76, 2.52, 3.28)]
    letters = [
        union(stem(at[0]), arch(at[0])),
        union(bowl(at[1]), stem(at[1] + 2 * radius, mid - radius)),
        stem(at[2]),
        union(bowl(at[3]), stem(at[3] + 2 * radius)),
        e(at[4]),
        union(stem(at[5], mid - radius), arch(at[5])),
    ]
    return union(*letters)


def cup(cx, cy, size):
    body = cut(box(cx, cy + 0.08 * size, 0.26 * size, 0.24 * size, 0.1 * size), box(cx, cy - 0.26 * size, size, 0.12 * size))
    steam = union(*(line(cx + dx * size, cy - 0.42 * size, cx + dx * size, cy - 0.28 * size, 0.03 * size) for dx in (-0.12, 0.0, 0.12)))
    return union(body, ring(cx + 0.28 * size, cy + 0.08 * size, 0.11 * size, 0.04 * size), steam)


def draw(width, height, layers, background=None):
    """Rows of (r, g, b, a). Layers are (shape, colour) from back to front; `background` None is transparent."""
    rows = []
    for py in range(height):
        row = []
        for px in range(width):
            x, y = (px + 0.5) / height, (py + 0.5) / height
            red, green, blue, alpha = (*background, 1.0) if background else (0, 0, 0, 0.0)
            for shape, colour in layers:
                # Sixteen steps of coverage look smooth, pack well and fit a table of 256 colours.
                cover = round(max(0.0, min(1.0, 0.5 - shape(x, y) * height)) * 15) / 15
                if cover == 0:
                    continue
                total = cover + alpha * (1 - cover)
                red, green, blue = (
                    (new * cover + old * alpha * (1 - cover)) / total for new, old in zip(colour, (red, green, blue))
                )
                alpha = total
            row.append((round(red), round(green), round(blue), round(alpha * 255)))
        rows.append(row)
    return rows


def write_png(path, rows, kind="rgba"):
    """`kind` is rgba, rgb, grey or indexed, so that readers meet every common form."""
    colours = sorted({pixel for row in rows for pixel in row})
    table = {colour: index for index, colour in enumerate(colours)} if kind == "indexed" else {}
    encode = {
        "rgba": lambda pixel: bytes(pixel),
        "rgb": lambda pixel: bytes(pixel[:3]),
        "grey": lambda pixel: bytes([round(0.299 * pixel[0] + 0.587 * pixel[1] + 0.114 * pixel[2])]),
        "indexed": lambda pixel: bytes([table[pixel]]),
    }[kind]
    colour_type, size = {"rgba": (6, 4), "rgb": (2, 3), "grey": (0, 1), "indexed": (3, 1)}[kind]
    previous = bytes(len(rows[0]) * size)
    data = bytearray()
    for row in rows:
        line_bytes = b"".join(encode(pixel) for pixel in row)
        data += filtered(line_bytes, previous, size)
        previous = line_bytes
    header = struct.pack(">IIBBBBB", len(rows[0]), len(rows), 8, colour_type, 0, 0, 0)
    chunks = [(b"IHDR", header)]
    if kind == "indexed":
        chunks.append((b"PLTE", b"".join(bytes(colour[:3]) for colour in colours)))
        chunks.append((b"tRNS", bytes(colour[3] for colour in colours)))
    chunks += [(b"IDAT", zlib.compress(bytes(data), 9)), (b"IEND", b"")]
    with open(path, "wb") as file:
        file.write(b"\x89PNG\r\n\x1a\n")
        for name, body in chunks:
            file.write(struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body)))


def filtered(now, above, size):
    """The filter of PNG section 9 whose bytes are smallest, as its recommendation says."""
    left = bytes(size) + now[:-size]
    corner = bytes(size) + above[:-size]
    candidates = [
        now,
        bytes((a - b) & 255 for a, b in zip(now, left)),
        bytes((a - b) & 255 for a, b in zip(now, above)),
        bytes((a - (b + c) // 2) & 255 for a, b, c in zip(now, left, above)),
        bytes((a - paeth(b, c, d)) & 255 for a, b, c, d in zip(now, left, above, corner)),
    ]
    cost = [sum(min(byte, 256 - byte) for byte in candidate) for candidate in candidates]
    best = cost.index(min(cost))
    return bytes([best]) + candidates[best]


def paeth(left, above, corner):
    estimate = left + above - corner
    distances = (abs(estimate - left), abs(estimate - above), abs(estimate - corner))
    return (left, above, corner)[distances.index(min(distances))]


def hills(width, base, colours):
    """Overlapping hills, the ground of the banners."""
    return [
        (circle(width * (0.15 + 0.35 * index), base + 0.75 + 0.05 * index, 0.8), colour)
        for index, colour in enumerate(colours)
    ]


def png_assets():
    seal = box(0.5, 0.5, 0.5, 0.5, 0.22)
    wide = 3.0
    yield "logos/mark-320.png", draw(320, 320, [(mark(0.5, 0.52, 0.86), FIR)]), "rgba"
    yield "logos/mark-160.png", draw(160, 160, [(mark(0.5, 0.52, 0.86), FIR)]), "rgba"
    yield "logos/mark-48.png", draw(48, 48, [(mark(0.5, 0.52, 0.86), FIR)]), "rgba"
    yield "logos/mark-reversed-160.png", draw(160, 160, [(seal, FIR), (mark(0.5, 0.52, 0.62), SAND)]), "rgba"
    yield "logos/wordmark-480.png", draw(
        480, 160, [(mark(0.5, 0.52, 0.72), FIR), (word(1.02, 0.48, 0.48), INK)], WHITE
    ), "rgb"
    yield "logos/wordmark-2019.png", draw(
        360, 120, [(circle(0.5, 0.5, 0.34), OLD_VIOLET), (word(1.02, 0.48, 0.48), OLD_VIOLET)], WHITE
    ), "rgb"
    yield "banners/autumn-2025.png", draw(
        540, 180, [(circle(2.35, 0.34, 0.2), EMBER), *hills(wide, 0.2, [MIST, FIR, INK])], SAND
    ), "rgb"
    yield "banners/spring-2023.png", draw(
        480, 160, [(circle(0.6, 0.32, 0.18), SAND), *hills(wide, 0.2, [FIR, MIST, FIR])], WHITE
    ), "rgb"
    yield "banners/holiday-2022.png", draw(
        480, 160, [(circle(2.3, 0.5, 0.36), HOLIDAY_RED), (mark(0.6, 0.52, 0.7), WHITE)], FIR
    ), "rgb"
    yield "social/avatar-240.png", draw(240, 240, [(cup(0.48, 0.5, 0.9), SAND)], FIR), "rgb"
    yield "social/cover-600.png", draw(
        600, 200, [(cup(0.6, 0.52, 0.8), WHITE), (word(1.12, 0.48, 0.42), WHITE)], OLD_TEAL
    ), "indexed"
    yield "social/story-2021.png", draw(150, 266, [(cup(0.28, 0.5, 0.42), WHITE)], OLD_TEAL), "rgb"
    yield "icons/cup.png", draw(96, 96, [(cup(0.48, 0.5, 0.95), EMBER)]), "indexed"
    yield "icons/cup-copy.png", draw(96, 96, [(cup(0.48, 0.5, 0.95), EMBER)]), "indexed"
    yield "icons/leaf.png", draw(96, 96, [(leaf(0.5, 0.5, 0.46, 0.6), FIR)]), "indexed"
    yield "icons/stamp.png", draw(96, 96, [(ring(0.5, 0.5, 0.4, 0.05), INK), (mark(0.5, 0.52, 0.5), INK)], WHITE), "grey"


SVG_ASSETS = {
    "logos/mark.svg": """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 120 120" width="120" height="120">
  <g fill="#1F5B4A">
    <path d="M60 12 C84 34 84 62 60 84 C36 62 36 34 60 12Z"/>
    <path d="M14 62 C40 58 56 74 56 104 C28 104 14 88 14 62Z"/>
    <path d="M106 62 C80 58 64 74 64 104 C92 104 106 88 106 62Z"/>
  </g>
</svg>
""",
    "icons/pin.svg": """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 48 48" width="48" height="48">
  <path fill="#e2603b" d="M24 4c-8 0-14 6-14 14 0 10 14 26 14 26s14-16 14-26c0-8-6-14-14-14z"/>
  <circle cx="24" cy="18" r="5" fill="#fff"/>
</svg>
""",
    "patterns/steam.svg": """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 80 80" width="80" height="80">
  <rect width="80" height="80" fill="#F3E6D0"/>
  <path fill="none" stroke="#DCE5E1" stroke-width="6" stroke-linecap="round" d="M20 70c-10-14 10-22 0-38s6-18 0-24M60 70c-10-14 10-22 0-38s6-18 0-24"/>
</svg>
""",
    "banners/launch-2020.svg": """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 480 160" width="480" height="160">
  <rect width="480" height="160" fill="#7a4ec4"/>
  <circle cx="80" cy="80" r="44" fill="#0096aa"/>
  <rect x="160" y="60" width="240" height="14" rx="7" fill="#ffffff"/>
  <rect x="160" y="88" width="160" height="14" rx="7" fill="#ffffff"/>
</svg>
""",
}

# path, where it is used, when it was last seen there, the width that place needs
USAGE = [
    ("logos/mark-320.png", "Packaging", "2025-09-14", 300),
    ("logos/mark-160.png", "Website header", "2025-10-02", 120),
    ("logos/mark-48.png", "Website footer", "2025-10-02", 64),
    ("logos/mark-reversed-160.png", "Takeaway cups", "2025-06-30", 150),
    ("logos/wordmark-480.png", "Invoices, letters", "2025-10-01", 400),
    ("logos/wordmark-2019.png", "Old invoices", "2020-11-30", 300),
    ("logos/mark.svg", "Shop window", "2025-03-08", 0),
    ("banners/autumn-2025.png", "Newsletter", "2025-09-21", 540),
    ("banners/spring-2023.png", "Newsletter", "2023-05-31", 480),
    ("banners/holiday-2022.png", "Newsletter", "2022-12-27", 480),
    ("banners/launch-2020.svg", "Opening page", "2020-04-19", 0),
    ("social/avatar-240.png", "Profile picture", "2025-10-02", 200),
    ("social/cover-600.png", "Profile header", "2025-08-11", 600),
    ("social/story-2021.png", "Summer stories", "2021-08-30", 150),
    ("icons/cup.png", "Menu", "2025-07-04", 64),
    ("icons/cup.png", "App", "2024-02-12", 96),
    ("icons/leaf.png", "Menu", "2025-07-04", 64),
    ("icons/stamp.png", "Loyalty card", "2024-12-24", 96),
    ("icons/pin.svg", "Map", "2025-02-17", 0),
    ("patterns/steam.svg", "Wrapping paper", "2024-11-03", 0),
]


def write_text(path, text):
    with open(path, "w", encoding="utf-8", newline="\n") as file:
        file.write(text)


def main():
    for folder in ("logos", "banners", "social", "icons", "patterns"):
        os.makedirs(f"assets/{folder}", exist_ok=True)
    for path, rows, kind in png_assets():
        write_png(f"assets/{path}", rows, kind)
    for path, text in SVG_ASSETS.items():
        write_text(f"assets/{path}", text)
    palette = "".join(f"{name},#{r:02X}{g:02X}{b:02X},{role}\n" for name, (r, g, b), role in PALETTE)
    write_text("assets/palette.csv", "name,hex,role\n" + palette)
    with open("assets/usage.csv", "w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([("path", "used_in", "last_used", "min_width"), *USAGE])


main()
