"""Compares every asset of a folder with the brand's palette and with where it is used.

Arguments: folder, stale_before (YYYY-MM-DD), today (YYYY-MM-DD), max_age_days (0: use stale_before), tolerance (CIE76).
Writes report/findings.json, report/report.md and report/chart.svg; prints one line of JSON. audit.js is its twin for hosts
that run JavaScript alone: both write the same bytes, so a change here is a change there.
"""

import csv
import datetime
import hashlib
import json
import math
import os
import re
import struct
import sys
import zlib
from collections import Counter

PNG_MARK = b"\x89PNG\r\n\x1a\n"
# A colour counts when it covers this many thousandths of what is not transparent: less is an edge or a detail.
LEAST_SHARE = 50
DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


class Unreadable(Exception):
    pass


def main():
    folder, stale_before, today, max_age_days, tolerance = sys.argv[1:6]
    if int(max_age_days) > 0:
        limit = datetime.date.fromisoformat(today) - datetime.timedelta(days=int(max_age_days))
        stale_before = limit.isoformat()
    if not DAY.fullmatch(stale_before):
        sys.exit(f"stale_before is {stale_before}; it must be a day such as 2024-01-31")
    palette = read_palette(f"{folder}/palette.csv")
    usage = read_usage(f"{folder}/usage.csv")
    assets = [examine(folder, path, usage, palette) for path in asset_paths(folder)]
    judge(assets, stale_before, float(tolerance))
    findings = collect(assets, folder, stale_before, float(tolerance))
    os.makedirs("report", exist_ok=True)
    write("report/findings.json", json.dumps(findings, indent=2, ensure_ascii=False) + "\n")
    write("report/report.md", report(findings))
    write("report/chart.svg", chart(findings, palette))
    print(json.dumps(findings["summary"], separators=(",", ":")))


def read_table(path, columns):
    with open(path, encoding="utf-8-sig", newline="") as file:
        rows = [row for row in csv.reader(file) if row]
    if not rows or rows[0] != columns:
        sys.exit(f"{path} must begin with the columns {','.join(columns)}")
    for row in rows:
        if len(row) != len(columns):
            sys.exit(f"{path}: the row of {row[0]} has {len(row)} columns, not {len(columns)}")
    return rows[1:]


def read_palette(path):
    palette = []
    for name, code, _role in read_table(path, ["name", "hex", "role"]):
        rgb = parse_hex(code)
        if rgb is None:
            sys.exit(f"{path}: {code} is not a colour such as #1F5B4A")
        palette.append({"name": name, "hex": to_hex(rgb), "lab": to_lab(rgb)})
    return palette


def read_usage(path):
    usage = {}
    for asset, place, day, width in read_table(path, ["path", "used_in", "last_used", "min_width"]):
        if not DAY.fullmatch(day) or not re.fullmatch("[0-9]{1,6}", width):
            sys.exit(f"{path}: the row of {asset} needs a day such as 2024-01-31 and a width in pixels")
        entry = usage.setdefault(asset, {"used_in": [], "last_used": "", "min_width": 0})
        entry["used_in"].append(place)
        entry["last_used"] = max(entry["last_used"], day)
        entry["min_width"] = max(entry["min_width"], int(width))
    return usage


def asset_paths(folder):
    found = []
    for place, _folders, names in os.walk(folder):
        for name in names:
            if name.lower().endswith((".png", ".svg")):
                found.append(os.path.relpath(os.path.join(place, name), folder))
    return sorted(found, key=lambda path: path.encode("utf-16-be"))


def examine(folder, path, usage, palette):
    with open(f"{folder}/{path}", "rb") as file:
        data = file.read()
    kind = path[-3:].lower()
    asset = {
        "path": f"{folder}/{path}",
        "kind": kind,
        "size_bytes": len(data),
        "sha256": hashlib.sha256(data).hexdigest(),
        "width": 0,
        "height": 0,
        "colours": [],
        "problem": "",
    }
    try:
        asset["width"], asset["height"], counts = read_png(data) if kind == "png" else read_svg(data)
        asset["colours"] = [describe(rgb, share, palette) for rgb, share in dominant(counts)]
    except Unreadable as error:
        asset["problem"] = str(error)
    except (zlib.error, struct.error, IndexError):
        asset["problem"] = "damaged"
    used = usage.get(path)
    asset["used_in"] = used["used_in"] if used else []
    asset["last_used"] = used["last_used"] if used else ""
    asset["min_width"] = used["min_width"] if used else 0
    return asset


def read_png(data):
    """Width, height and how often each (r, g, b) is seen among pixels that are not see-through."""
    if data[:8] != PNG_MARK:
        raise Unreadable("not a PNG")
    at, body, plte, trns, header = 8, b"", b"", b"", None
    while at + 8 <= len(data):
        length, name = struct.unpack(">I4s", data[at : at + 8])
        chunk = data[at + 8 : at + 8 + length]
        if len(chunk) < length:
            raise Unreadable("damaged")
        at += 12 + length
        if name == b"IHDR":
            header = struct.unpack(">IIBBBBB", chunk)
        elif name == b"PLTE":
            plte = chunk
        elif name == b"tRNS":
            trns = chunk
        elif name == b"IDAT":
            body += chunk
        elif name == b"IEND":
            break
    if header is None:
        raise Unreadable("damaged")
    width, height, depth, colour_type, _compression, _filter, interlaced = header
    channels = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}.get(colour_type)
    if channels is None or depth != 8 or interlaced or width * height > 16_000_000:
        raise Unreadable("a form of PNG this audit does not read")
    rows = unfilter(inflate(body, (width * channels + 1) * height), width * channels, height, channels)
    return width, height, count_pixels(rows, colour_type, plte, trns)


def inflate(body, expected):
    """Never more than `expected` bytes, however much the file claims to hold."""
    stream = zlib.decompressobj()
    data = stream.decompress(body, expected + 1)
    if len(data) != expected or not stream.eof:
        raise Unreadable("damaged")
    return data


def unfilter(data, stride, height, channels):
    rows, above = [], bytearray(stride)
    for y in range(height):
        start = y * (stride + 1)
        row = bytearray(data[start + 1 : start + 1 + stride])
        unfilter_row(data[start], row, above, channels)
        rows.append(row)
        above = row
    return rows


def unfilter_row(kind, row, above, channels):
    """PNG section 9.2; rows are changed in place."""
    if kind > 4:
        raise Unreadable("damaged")
    if kind == 2:
        for i in range(len(row)):
            row[i] = (row[i] + above[i]) & 255
        return
    for i in range(len(row)) if kind else ():
        left = row[i - channels] if i >= channels else 0
        if kind == 1:
            row[i] = (row[i] + left) & 255
        elif kind == 3:
            row[i] = (row[i] + (left + above[i]) // 2) & 255
        else:
            corner = above[i - channels] if i >= channels else 0
            row[i] = (row[i] + paeth(left, above[i], corner)) & 255


def paeth(left, above, corner):
    a, b, c = abs(above - corner), abs(left - corner), abs(left + above - 2 * corner)
    if a <= b and a <= c:
        return left
    return above if b <= c else corner


def count_pixels(rows, colour_type, plte, trns):
    counts = Counter()
    for row in rows:
        if colour_type == 0:
            counts.update((v, v, v) for v in row)
        elif colour_type == 2:
            counts.update(zip(row[0::3], row[1::3], row[2::3]))
        elif colour_type == 3:
            for index, count in Counter(row).items():
                if index >= len(trns) or trns[index] >= 128:
                    if index * 3 + 2 >= len(plte):
                        raise Unreadable("damaged")
                    counts[tuple(plte[index * 3 : index * 3 + 3])] += count
        elif colour_type == 4:
            counts.update((v, v, v) for v, alpha in zip(row[0::2], row[1::2]) if alpha >= 128)
        else:
            pixels = Counter(zip(row[0::4], row[1::4], row[2::4], row[3::4]))
            for pixel, count in pixels.items():
                if pixel[3] >= 128:
                    counts[pixel[:3]] += count
    return counts


def read_svg(data):
    """Colours by how often they are named: an SVG has no pixels to count."""
    text = data.decode("utf-8", "replace")
    tag = re.search(r"<svg\b[^>]*>", text)
    if tag is None:
        raise Unreadable("not an SVG")
    counts = Counter()
    for code in re.findall(r"""(?:fill|stroke|stop-color)\s*[=:]\s*["']?\s*(#[0-9a-fA-F]{3,8})""", text):
        rgb = parse_hex(code)
        if rgb is not None:
            counts[rgb] += 1
    size = [re.search(rf'\b{name}="([0-9]+)', tag.group(0)) for name in ("width", "height")]
    return (*(int(found.group(1)) if found else 0 for found in size), counts)


def dominant(counts):
    """The colours that matter with their share in thousandths; near ones (same upper four bits) count as their commonest."""
    total = sum(counts.values())
    groups = {}
    for rgb, count in counts.items():
        key = tuple(value >> 4 for value in rgb)
        group = groups.setdefault(key, [0, (0, ())])
        group[0] += count
        group[1] = max(group[1], (count, tuple(-value for value in rgb)))
    shares = [
        (tuple(-value for value in best[1]), (count * 2000 + total) // (2 * total)) for count, best in groups.values()
    ]
    return sorted((entry for entry in shares if entry[1] >= LEAST_SHARE), key=lambda entry: (-entry[1], entry[0]))


def describe(rgb, share, palette):
    lab = to_lab(rgb)
    near = [(math.sqrt(sum((a - b) ** 2 for a, b in zip(lab, each["lab"]))), each) for each in palette]
    distance, best = min(near, key=lambda entry: entry[0])
    return {
        "hex": to_hex(rgb),
        "percent": number(share),
        "nearest": best["name"],
        "distance": number(math.floor(distance * 10 + 0.5)),
    }


def to_lab(rgb):
    """sRGB (IEC 61966-2-1) to CIE L*a*b* under D65."""
    linear = [c / 255 / 12.92 if c <= 10 else ((c / 255 + 0.055) / 1.055) ** 2.4 for c in rgb]
    r, g, b = linear
    xyz = (
        (0.4124564 * r + 0.3575761 * g + 0.1804375 * b) / 0.95047,
        0.2126729 * r + 0.7151522 * g + 0.072175 * b,
        (0.0193339 * r + 0.119192 * g + 0.9503041 * b) / 1.08883,
    )
    x, y, z = (t ** (1 / 3) if t > 216 / 24389 else (24389 / 27 * t + 16) / 116 for t in xyz)
    return (116 * y - 16, 500 * (x - y), 200 * (y - z))


def parse_hex(code):
    digits = code[1:].lower()
    if len(digits) in (3, 4):
        digits = "".join(digit * 2 for digit in digits)
    if not code.startswith("#") or not re.fullmatch(r"[0-9a-f]{6}([0-9a-f]{2})?", digits):
        return None
    return tuple(int(digits[i : i + 2], 16) for i in (0, 2, 4))


def to_hex(rgb):
    return "#" + "".join(f"{value:02X}" for value in rgb)


def number(tenths):
    """12.5, or 12 without a point, as JavaScript writes numbers."""
    return tenths // 10 if tenths % 10 == 0 else tenths / 10


def judge(assets, stale_before, tolerance):
    first = {}
    # Of equal files the one that is in use is the original.
    for asset in sorted(assets, key=lambda asset: asset["last_used"] == ""):
        first.setdefault(asset["sha256"], asset["path"])
    for asset in assets:
        asset["off_brand"] = any(colour["distance"] > tolerance for colour in asset["colours"])
        asset["stale"] = asset["last_used"] != "" and asset["last_used"] < stale_before
        asset["too_small"] = asset["kind"] == "png" and 0 < asset["width"] < asset["min_width"]
        original = first[asset["sha256"]]
        asset["duplicate_of"] = "" if original == asset["path"] else original


def collect(assets, folder, stale_before, tolerance):
    def paths(test):
        return [asset["path"] for asset in assets if test(asset)]

    lists = {
        "off_brand": paths(lambda asset: asset["off_brand"]),
        "stale": paths(lambda asset: asset["stale"]),
        "too_small": paths(lambda asset: asset["too_small"]),
        "duplicates": paths(lambda asset: asset["duplicate_of"] != ""),
        "unlisted": paths(lambda asset: asset["last_used"] == ""),
        "unreadable": paths(lambda asset: asset["problem"] != ""),
    }
    total = sum(asset["size_bytes"] for asset in assets)
    stale = sum(asset["size_bytes"] for asset in assets if asset["stale"])
    return {
        "version": 1,
        "folder": folder,
        "stale_before": stale_before,
        "tolerance": number(math.floor(tolerance * 10 + 0.5)),
        "summary": {
            "assets": len(assets),
            "bytes": total,
            "stale_bytes": stale,
            **{name: len(found) for name, found in lists.items()},
        },
        **lists,
        "assets": assets,
    }


def report(findings):
    summary = findings["summary"]
    lines = [
        "# Brand audit",
        "",
        f"{summary['assets']} assets in `{findings['folder']}`, {size(summary['bytes'])}. "
        f"A colour is on brand within {findings['tolerance']} (CIE76) of the palette; "
        f"an asset is stale when it was last used before {findings['stale_before']}.",
        "",
        "| Finding | Assets |",
        "| --- | ---: |",
        f"| Off brand | {summary['off_brand']} |",
        f"| Stale | {summary['stale']} |",
        f"| Too small for its place | {summary['too_small']} |",
        f"| Copies of another asset | {summary['duplicates']} |",
        f"| In no list of places | {summary['unlisted']} |",
        f"| Unreadable | {summary['unreadable']} |",
        "",
        "![Colours of every asset](chart.svg)",
    ]
    lines += section("Off brand", findings, "off_brand", off_brand_note)
    lines += section("Stale", findings, "stale", lambda asset: f"last used {asset['last_used']}, {', '.join(asset['used_in'])}")
    lines += section(
        "Too small", findings, "too_small", lambda asset: f"{asset['width']} pixels wide, {asset['min_width']} needed"
    )
    lines += section("Copies", findings, "duplicates", lambda asset: f"same bytes as `{asset['duplicate_of']}`")
    lines += section("In no list", findings, "unlisted", lambda asset: "not in usage.csv")
    lines += section("Unreadable", findings, "unreadable", lambda asset: asset["problem"])
    return "\n".join(lines) + "\n"


def off_brand_note(asset):
    worst = max(asset["colours"], key=lambda colour: colour["distance"])
    return f"{worst['hex']} on {worst['percent']} %, {worst['distance']} from {worst['nearest']}"


def section(title, findings, name, note):
    found = [asset for asset in findings["assets"] if asset["path"] in findings[name]]
    if not found:
        return []
    return ["", f"## {title}", ""] + [f"- `{asset['path']}`: {note(asset)}" for asset in found]


def size(count):
    return f"{count} B" if count < 1000 else f"{(count + 500) // 1000} KB"


def chart(findings, palette):
    """One row per asset: its colours as a bar, its findings as badges."""
    assets, summary = findings["assets"], findings["summary"]
    height = 188 + 34 * len(assets)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="960" height="{height}" viewBox="0 0 960 {height}" '
        'font-family="system-ui, -apple-system, Segoe UI, Roboto, sans-serif" font-size="13">',
        f'<title>Brand audit of {escape(findings["folder"])}</title>',
        f'<rect width="960" height="{height}" rx="16" fill="#FBFAF7"/>',
        '<text x="32" y="50" font-size="24" font-weight="700" fill="#17211D">Brand audit</text>',
        f'<text x="32" y="74" fill="#5C6B65">{summary["assets"]} assets, {size(summary["bytes"])}, '
        f'stale before {findings["stale_before"]}, tolerance {findings["tolerance"]}</text>',
    ]
    tiles = [("off brand", "off_brand", "#C2410C"), ("stale", "stale", "#A16207"), ("too small", "too_small", "#4338CA"), ("copies", "duplicates", "#475569")]
    for index, (label, name, colour) in enumerate(tiles):
        x = 520 + index * 104
        parts.append(f'<rect x="{x}" y="28" width="94" height="56" rx="10" fill="#FFFFFF" stroke="#E4E2DA"/>')
        parts.append(f'<text x="{x + 12}" y="55" font-size="20" font-weight="700" fill="{colour}">{summary[name]}</text>')
        parts.append(f'<text x="{x + 12}" y="74" font-size="12" fill="#5C6B65">{label}</text>')
    for index, colour in enumerate(palette[:10]):
        x = 32 + index * 88
        parts.append(f'<rect x="{x}" y="104" width="20" height="20" rx="6" fill="{colour["hex"]}" stroke="#D8D5CB"/>')
        parts.append(f'<text x="{x + 28}" y="119" font-size="12" fill="#17211D">{escape(colour["name"])}</text>')
    parts.append('<line x1="32" x2="928" y1="142" y2="142" stroke="#E4E2DA"/>')
    for index, asset in enumerate(assets):
        parts += chart_row(asset, 156 + index * 34, len(findings["folder"]) + 1)
    parts.append("</svg>")
    return "\n".join(parts) + "\n"


def chart_row(asset, y, prefix):
    ink = "#6B7671" if asset["stale"] else "#17211D"
    parts = [f'<text x="32" y="{y + 18}" fill="{ink}">{escape(asset["path"][prefix:])}</text>']
    x = 300
    for colour in asset["colours"]:
        width = max(2, int(colour["percent"] * 10) * 36 // 100)
        parts.append(
            f'<rect x="{x}" y="{y + 4}" width="{width}" height="20" fill="{colour["hex"]}" stroke="#00000022">'
            f'<title>{colour["hex"]} {colour["percent"]} %, {colour["distance"]} from {escape(colour["nearest"])}</title></rect>'
        )
        x += width
    badges = [
        (asset["off_brand"], "off brand", "#FFEDD5", "#C2410C"),
        (asset["stale"], "stale", "#FEF3C7", "#A16207"),
        (asset["too_small"], "too small", "#E0E7FF", "#4338CA"),
        (asset["duplicate_of"] != "", "copy", "#E2E8F0", "#475569"),
        (asset["problem"] != "", "unreadable", "#FEE2E2", "#B91C1C"),
    ]
    x = 684
    for applies, label, back, front in badges:
        if not applies:
            continue
        width = 18 + 7 * len(label)
        parts.append(f'<rect x="{x}" y="{y + 4}" width="{width}" height="20" rx="10" fill="{back}"/>')
        parts.append(
            f'<text x="{x + width // 2}" y="{y + 18}" font-size="12" text-anchor="middle" fill="{front}">{label}</text>'
        )
        x += width + 8
    return parts


def escape(text):
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")


def write(path, text):
    with open(path, "w", encoding="utf-8", newline="\n") as file:
        file.write(text)


main()
