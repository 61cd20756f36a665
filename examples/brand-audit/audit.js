/*
 * The twin of audit.py for hosts that run JavaScript alone: same arguments, same files, same bytes.
 * It uses only what the sandbox gives every JavaScript program: readFile, readBytes, writeFile, listFiles, args, console.
 */
/* oxlint-disable max-lines -- a sandboxed program is one file: its world has no modules to import. */
"use strict";

const pngMark = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];
// A colour counts when it covers this many thousandths of what is not transparent: less is an edge or a detail.
const leastShare = 50;
const dayPattern = /^[0-9]{4}-[0-9]{2}-[0-9]{2}$/;

/** What is wrong with an asset; everything else that is thrown ends the audit. */
class Unreadable extends Error {}

function main() {
  const [folder, limit, today, maxAgeDays, toleranceText] = args;
  const staleBefore = Number(maxAgeDays) > 0 ? daysBefore(today, Number(maxAgeDays)) : limit;
  if (!dayPattern.test(staleBefore)) {
    throw new Error(`stale_before is ${staleBefore}; it must be a day such as 2024-01-31`);
  }
  const tolerance = Number(toleranceText);
  const palette = readPalette(`${folder}/palette.csv`);
  const usage = readUsage(`${folder}/usage.csv`);
  const assets = assetPaths(folder).map((path) => examine(folder, path, usage, palette));
  judge(assets, staleBefore, tolerance);
  const findings = collect(assets, folder, staleBefore, tolerance);
  writeFile("report/findings.json", `${JSON.stringify(findings, null, 2)}\n`);
  writeFile("report/report.md", report(findings));
  writeFile("report/chart.svg", chart(findings, palette));
  console.log(JSON.stringify(findings.summary));
}

function daysBefore(today, days) {
  return new Date(Date.parse(`${today}T00:00:00Z`) - days * 86400000).toISOString().slice(0, 10);
}

function readTable(path, columns) {
  const rows = parseCsv(readFile(path).replace(/^\uFEFF/, ""));
  if (rows.length === 0 || rows[0].join("\n") !== columns.join("\n")) {
    throw new Error(`${path} must begin with the columns ${columns.join(",")}`);
  }
  const odd = rows.find((row) => row.length !== columns.length);
  if (odd) throw new Error(`${path}: the row of ${odd[0]} has ${odd.length} columns, not ${columns.length}`);
  return rows.slice(1);
}

/** RFC 4180; empty lines are no rows. */
function parseCsv(text) {
  const rows = [];
  let row = [];
  let field = "";
  let isQuoted = false;
  let isEmpty = true;
  for (let at = 0; at <= text.length; at++) {
    const sign = at < text.length ? text[at] : "\n";
    if (isQuoted && at < text.length) {
      if (sign !== '"') field += sign;
      else if (text[at + 1] === '"') field += text[++at];
      else isQuoted = false;
    } else if (sign === '"' && field === "") {
      isQuoted = true;
      isEmpty = false;
    } else if (sign === ",") {
      row.push(field);
      field = "";
      isEmpty = false;
    } else if (sign === "\n" || sign === "\r") {
      if (!isEmpty) rows.push([...row, field]);
      row = [];
      field = "";
      isEmpty = true;
    } else {
      field += sign;
      isEmpty = false;
    }
  }
  return rows;
}

function readPalette(path) {
  return readTable(path, ["name", "hex", "role"]).map(([name, code]) => {
    const rgb = parseHex(code);
    if (rgb === undefined) throw new Error(`${path}: ${code} is not a colour such as #1F5B4A`);
    return { name, hex: toHex(rgb), lab: toLab(rgb) };
  });
}

function readUsage(path) {
  const usage = new Map();
  for (const [asset, place, day, width] of readTable(path, ["path", "used_in", "last_used", "min_width"])) {
    if (!dayPattern.test(day) || !/^[0-9]{1,6}$/.test(width)) {
      throw new Error(`${path}: the row of ${asset} needs a day such as 2024-01-31 and a width in pixels`);
    }
    const entry = usage.get(asset) ?? { used_in: [], last_used: "", min_width: 0 };
    usage.set(asset, entry);
    entry.used_in.push(place);
    if (day > entry.last_used) entry.last_used = day;
    entry.min_width = Math.max(entry.min_width, Number(width));
  }
  return usage;
}

function assetPaths(folder) {
  return listFiles()
    .filter((path) => path.startsWith(`${folder}/`) && /\.(png|svg)$/i.test(path))
    .map((path) => path.slice(folder.length + 1))
    .sort();
}

function examine(folder, path, usage, palette) {
  const data = readBytes(`${folder}/${path}`);
  const kind = path.slice(-3).toLowerCase();
  const asset = {
    path: `${folder}/${path}`,
    kind,
    size_bytes: data.length,
    sha256: sha256(data),
    width: 0,
    height: 0,
    colours: [],
    problem: "",
  };
  try {
    const image = kind === "png" ? readPng(data) : readSvg(readFile(`${folder}/${path}`));
    asset.width = image.width;
    asset.height = image.height;
    asset.colours = dominant(image.counts).map(({ rgb, share }) => describe(rgb, share, palette));
  } catch (error) {
    if (!(error instanceof Unreadable)) throw error;
    asset.problem = error.message;
  }
  const used = usage.get(path) ?? { used_in: [], last_used: "", min_width: 0 };
  return Object.assign(asset, used);
}

/** Width, height and how often each colour (a number 0xRRGGBB) is seen among pixels that are not see-through. */
function readPng(data) {
  if (!pngMark.every((byte, index) => data[index] === byte)) throw new Unreadable("not a PNG");
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const parts = [];
  let header;
  let plte = new Uint8Array(0);
  let trns = new Uint8Array(0);
  for (let at = 8; at + 8 <= data.length;) {
    const length = view.getUint32(at);
    const name = String.fromCharCode(...data.subarray(at + 4, at + 8));
    const chunk = data.subarray(at + 8, at + 8 + length);
    if (chunk.length < length || (name === "IHDR" && length !== 13)) throw damaged();
    if (name === "IHDR") header = at + 8;
    else if (name === "PLTE") plte = chunk;
    else if (name === "tRNS") trns = chunk;
    else if (name === "IDAT") parts.push(chunk);
    else if (name === "IEND") break;
    at += 12 + length;
  }
  if (header === undefined) throw damaged();
  const width = view.getUint32(header);
  const height = view.getUint32(header + 4);
  const [depth, colourType, , , interlaced] = data.subarray(header + 8, header + 13);
  const channels = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 }[colourType];
  if (channels === undefined || depth !== 8 || interlaced || width * height > 16000000) {
    throw new Unreadable("a form of PNG this audit does not read");
  }
  const stride = width * channels;
  const bytes = inflate(join(parts), (stride + 1) * height);
  unfilter(bytes, { stride, height, channels });
  return { width, height, counts: countPixels(bytes, { stride, height, channels, colourType, plte, trns }) };
}

function join(parts) {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** PNG section 9.2; rows are changed in place, each behind its filter byte. */
function unfilter(bytes, { stride, height, channels }) {
  for (let y = 0; y < height; y++) {
    const start = y * (stride + 1) + 1;
    const kind = bytes[start - 1];
    if (kind > 4) throw damaged();
    if (kind === 0) continue;
    for (let i = 0; i < stride; i++) {
      const at = start + i;
      const left = i >= channels ? bytes[at - channels] : 0;
      const above = y > 0 ? bytes[at - stride - 1] : 0;
      if (kind === 1) bytes[at] += left;
      else if (kind === 2) bytes[at] += above;
      else if (kind === 3) bytes[at] += (left + above) >> 1;
      else bytes[at] += paeth(left, above, i >= channels && y > 0 ? bytes[at - stride - 1 - channels] : 0);
    }
  }
}

function paeth(left, above, corner) {
  const a = Math.abs(above - corner);
  const b = Math.abs(left - corner);
  const c = Math.abs(left + above - 2 * corner);
  if (a <= b && a <= c) return left;
  return b <= c ? above : corner;
}

function countPixels(bytes, { stride, height, channels, colourType, plte, trns }) {
  const counts = new Map();
  const isGrey = colourType === 0 || colourType === 4;
  let last = -1;
  let run = 0;
  const note = (colour, count) => {
    if (colour >= 0) counts.set(colour, (counts.get(colour) ?? 0) + count);
  };
  for (let y = 0; y < height; y++) {
    const end = (y + 1) * (stride + 1);
    for (let at = end - stride; at < end; at += channels) {
      let colour;
      const value = bytes[at];
      if (colourType === 3) {
        const isClear = value < trns.length && trns[value] < 128;
        if (!isClear && value * 3 + 2 >= plte.length) throw damaged();
        colour = isClear ? -1 : (plte[value * 3] << 16) | (plte[value * 3 + 1] << 8) | plte[value * 3 + 2];
      } else if (isGrey) colour = channels === 2 && bytes[at + 1] < 128 ? -1 : value * 0x010101;
      else if (channels === 4 && bytes[at + 3] < 128) colour = -1;
      else colour = (value << 16) | (bytes[at + 1] << 8) | bytes[at + 2];
      // Pictures are flat: most pixels are like the one before.
      if (colour === last) run++;
      else {
        note(last, run);
        last = colour;
        run = 1;
      }
    }
  }
  note(last, run);
  return counts;
}

/** Colours by how often they are named: an SVG has no pixels to count. */
function readSvg(text) {
  const tag = /<svg\b[^>]*>/.exec(text);
  if (tag === null) throw new Unreadable("not an SVG");
  const counts = new Map();
  for (const [, code] of text.matchAll(/(?:fill|stroke|stop-color)\s*[=:]\s*["']?\s*(#[0-9a-fA-F]{3,8})/g)) {
    const rgb = parseHex(code);
    if (rgb === undefined) continue;
    const colour = (rgb[0] << 16) | (rgb[1] << 8) | rgb[2];
    counts.set(colour, (counts.get(colour) ?? 0) + 1);
  }
  const size = (name) => Number(new RegExp(`\\b${name}="([0-9]+)`).exec(tag[0])?.[1] ?? 0);
  return { width: size("width"), height: size("height"), counts };
}

/** The colours that matter with their share in thousandths; near ones (same upper four bits) count as their commonest. */
function dominant(counts) {
  let total = 0;
  const groups = new Map();
  for (const [colour, count] of counts) {
    total += count;
    const key = colour & 0xf0f0f0;
    const group = groups.get(key) ?? { sum: 0, best: 0, colour: 0xffffff };
    groups.set(key, group);
    group.sum += count;
    if (count > group.best || (count === group.best && colour < group.colour)) {
      group.best = count;
      group.colour = colour;
    }
  }
  return [...groups.values()]
    .map(({ sum, colour }) => ({ colour, share: Math.floor((sum * 2000 + total) / (2 * total)) }))
    .filter(({ share }) => share >= leastShare)
    .sort((a, b) => b.share - a.share || a.colour - b.colour)
    .map(({ colour, share }) => ({ rgb: [colour >> 16, (colour >> 8) & 255, colour & 255], share }));
}

function describe(rgb, share, palette) {
  const lab = toLab(rgb);
  let nearest;
  let distance = Infinity;
  for (const each of palette) {
    const now = Math.sqrt(
      (lab[0] - each.lab[0]) ** 2 + (lab[1] - each.lab[1]) ** 2 + (lab[2] - each.lab[2]) ** 2,
    );
    if (now < distance) [nearest, distance] = [each, now];
  }
  return {
    hex: toHex(rgb),
    percent: share / 10,
    nearest: nearest.name,
    distance: Math.floor(distance * 10 + 0.5) / 10,
  };
}

/** sRGB (IEC 61966-2-1) to CIE L*a*b* under D65. */
function toLab(rgb) {
  const [r, g, b] = rgb.map((c) => (c <= 10 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4));
  const [x, y, z] = [
    (0.4124564 * r + 0.3575761 * g + 0.1804375 * b) / 0.95047,
    0.2126729 * r + 0.7151522 * g + 0.072175 * b,
    (0.0193339 * r + 0.119192 * g + 0.9503041 * b) / 1.08883,
  ].map((t) => (t > 216 / 24389 ? t ** (1 / 3) : ((24389 / 27) * t + 16) / 116));
  return [116 * y - 16, 500 * (x - y), 200 * (y - z)];
}

function parseHex(code) {
  let digits = code.slice(1).toLowerCase();
  if (digits.length === 3 || digits.length === 4) digits = [...digits].map((digit) => digit + digit).join("");
  if (!code.startsWith("#") || !/^[0-9a-f]{6}([0-9a-f]{2})?$/.test(digits)) return undefined;
  return [0, 2, 4].map((at) => parseInt(digits.slice(at, at + 2), 16));
}

function toHex(rgb) {
  return `#${rgb.map((value) => value.toString(16).padStart(2, "0").toUpperCase()).join("")}`;
}

function judge(assets, staleBefore, tolerance) {
  const first = new Map();
  // Of equal files the one that is in use is the original.
  for (const isUnlisted of [false, true]) {
    for (const { sha256: digest, path, last_used } of assets) {
      if ((last_used === "") === isUnlisted && !first.has(digest)) first.set(digest, path);
    }
  }
  for (const asset of assets) {
    asset.off_brand = asset.colours.some((colour) => colour.distance > tolerance);
    asset.stale = asset.last_used !== "" && asset.last_used < staleBefore;
    asset.too_small = asset.kind === "png" && asset.width > 0 && asset.width < asset.min_width;
    const original = first.get(asset.sha256);
    asset.duplicate_of = original === asset.path ? "" : original;
  }
}

function collect(assets, folder, staleBefore, tolerance) {
  const paths = (test) => assets.filter(test).map((asset) => asset.path);
  const bytes = (list) => list.reduce((sum, asset) => sum + asset.size_bytes, 0);
  const lists = {
    off_brand: paths((asset) => asset.off_brand),
    stale: paths((asset) => asset.stale),
    too_small: paths((asset) => asset.too_small),
    duplicates: paths((asset) => asset.duplicate_of !== ""),
    unlisted: paths((asset) => asset.last_used === ""),
    unreadable: paths((asset) => asset.problem !== ""),
  };
  const counts = Object.fromEntries(Object.entries(lists).map(([name, found]) => [name, found.length]));
  return {
    version: 1,
    folder,
    stale_before: staleBefore,
    tolerance: Math.floor(tolerance * 10 + 0.5) / 10,
    summary: {
      assets: assets.length,
      bytes: bytes(assets),
      stale_bytes: bytes(assets.filter((asset) => asset.stale)),
      ...counts,
    },
    ...lists,
    assets,
  };
}

function report(findings) {
  const { summary } = findings;
  const lines = [
    "# Brand audit",
    "",
    `${summary.assets} assets in \`${findings.folder}\`, ${size(summary.bytes)}. ` +
      `A colour is on brand within ${findings.tolerance} (CIE76) of the palette; ` +
      `an asset is stale when it was last used before ${findings.stale_before}.`,
    "",
    "| Finding | Assets |",
    "| --- | ---: |",
    `| Off brand | ${summary.off_brand} |`,
    `| Stale | ${summary.stale} |`,
    `| Too small for its place | ${summary.too_small} |`,
    `| Copies of another asset | ${summary.duplicates} |`,
    `| In no list of places | ${summary.unlisted} |`,
    `| Unreadable | ${summary.unreadable} |`,
    "",
    "![Colours of every asset](chart.svg)",
    ...section("Off brand", findings, "off_brand", offBrandNote),
    ...section(
      "Stale",
      findings,
      "stale",
      (asset) => `last used ${asset.last_used}, ${asset.used_in.join(", ")}`,
    ),
    ...section(
      "Too small",
      findings,
      "too_small",
      (asset) => `${asset.width} pixels wide, ${asset.min_width} needed`,
    ),
    ...section("Copies", findings, "duplicates", (asset) => `same bytes as \`${asset.duplicate_of}\``),
    ...section("In no list", findings, "unlisted", () => "not in usage.csv"),
    ...section("Unreadable", findings, "unreadable", (asset) => asset.problem),
  ];
  return `${lines.join("\n")}\n`;
}

function offBrandNote(asset) {
  const worst = asset.colours.reduce((a, b) => (b.distance > a.distance ? b : a));
  return `${worst.hex} on ${worst.percent} %, ${worst.distance} from ${worst.nearest}`;
}

function section(title, findings, name, note) {
  const found = findings.assets.filter((asset) => findings[name].includes(asset.path));
  if (found.length === 0) return [];
  return ["", `## ${title}`, "", ...found.map((asset) => `- \`${asset.path}\`: ${note(asset)}`)];
}

function size(count) {
  return count < 1000 ? `${count} B` : `${Math.floor((count + 500) / 1000)} KB`;
}

/** One row per asset: its colours as a bar, its findings as badges. */
function chart(findings, palette) {
  const { assets, summary } = findings;
  const height = 188 + 34 * assets.length;
  const parts = [
    `<svg xmlns="http://www.w3.org/2000/svg" width="960" height="${height}" viewBox="0 0 960 ${height}" ` +
      'font-family="system-ui, -apple-system, Segoe UI, Roboto, sans-serif" font-size="13">',
    `<title>Brand audit of ${escapeXml(findings.folder)}</title>`,
    `<rect width="960" height="${height}" rx="16" fill="#FBFAF7"/>`,
    '<text x="32" y="50" font-size="24" font-weight="700" fill="#17211D">Brand audit</text>',
    `<text x="32" y="74" fill="#5C6B65">${summary.assets} assets, ${size(summary.bytes)}, ` +
      `stale before ${findings.stale_before}, tolerance ${findings.tolerance}</text>`,
  ];
  const tiles = [
    ["off brand", "off_brand", "#C2410C"],
    ["stale", "stale", "#A16207"],
    ["too small", "too_small", "#4338CA"],
    ["copies", "duplicates", "#475569"],
  ];
  tiles.forEach(([label, name, colour], index) => {
    const x = 520 + index * 104;
    parts.push(`<rect x="${x}" y="28" width="94" height="56" rx="10" fill="#FFFFFF" stroke="#E4E2DA"/>`);
    parts.push(
      `<text x="${x + 12}" y="55" font-size="20" font-weight="700" fill="${colour}">${summary[name]}</text>`,
    );
    parts.push(`<text x="${x + 12}" y="74" font-size="12" fill="#5C6B65">${label}</text>`);
  });
  palette.slice(0, 10).forEach((colour, index) => {
    const x = 32 + index * 88;
    parts.push(
      `<rect x="${x}" y="104" width="20" height="20" rx="6" fill="${colour.hex}" stroke="#D8D5CB"/>`,
    );
    parts.push(`<text x="${x + 28}" y="119" font-size="12" fill="#17211D">${escapeXml(colour.name)}</text>`);
  });
  parts.push('<line x1="32" x2="928" y1="142" y2="142" stroke="#E4E2DA"/>');
  assets.forEach((asset, index) =>
    parts.push(...chartRow(asset, 156 + index * 34, findings.folder.length + 1)),
  );
  parts.push("</svg>");
  return `${parts.join("\n")}\n`;
}

function chartRow(asset, y, prefix) {
  const ink = asset.stale ? "#6B7671" : "#17211D";
  const parts = [`<text x="32" y="${y + 18}" fill="${ink}">${escapeXml(asset.path.slice(prefix))}</text>`];
  let x = 300;
  for (const colour of asset.colours) {
    const width = Math.max(2, Math.floor((Math.floor(colour.percent * 10) * 36) / 100));
    parts.push(
      `<rect x="${x}" y="${y + 4}" width="${width}" height="20" fill="${colour.hex}" stroke="#00000022">` +
        `<title>${colour.hex} ${colour.percent} %, ${colour.distance} from ${escapeXml(colour.nearest)}</title></rect>`,
    );
    x += width;
  }
  const badges = [
    [asset.off_brand, "off brand", "#FFEDD5", "#C2410C"],
    [asset.stale, "stale", "#FEF3C7", "#A16207"],
    [asset.too_small, "too small", "#E0E7FF", "#4338CA"],
    [asset.duplicate_of !== "", "copy", "#E2E8F0", "#475569"],
    [asset.problem !== "", "unreadable", "#FEE2E2", "#B91C1C"],
  ];
  x = 684;
  for (const [applies, label, back, front] of badges) {
    if (!applies) continue;
    const width = 18 + 7 * label.length;
    parts.push(`<rect x="${x}" y="${y + 4}" width="${width}" height="20" rx="10" fill="${back}"/>`);
    parts.push(
      `<text x="${x + (width >> 1)}" y="${y + 18}" font-size="12" text-anchor="middle" fill="${front}">${label}</text>`,
    );
    x += width + 8;
  }
  return parts;
}

function escapeXml(text) {
  return text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;").replace(/"/g, "&quot;");
}

function damaged() {
  return new Unreadable("damaged");
}

/** zlib (RFC 1950) around deflate (RFC 1951) into exactly `expected` bytes, never more. */
function inflate(input, expected) {
  const isZlib = input.length >= 6 && (input[0] & 15) === 8 && (input[0] * 256 + input[1]) % 31 === 0;
  if (!isZlib || input[1] & 32) throw damaged();
  const reader = { input, at: 2, held: 0, heldBits: 0 };
  const output = { bytes: new Uint8Array(expected), size: 0 };
  for (let isLast = 0; isLast === 0;) {
    isLast = readBits(reader, 1);
    const kind = readBits(reader, 2);
    if (kind === 3) throw damaged();
    if (kind === 0) copyStored(reader, output);
    else unpack(reader, output, kind === 1 ? fixedTrees() : readTrees(reader));
  }
  if (output.size !== expected || reader.at + 4 > input.length) throw damaged();
  const checksum = new DataView(input.buffer, input.byteOffset + reader.at).getUint32(0);
  if (adler32(output.bytes) !== checksum) throw damaged();
  return output.bytes;
}

function readBits(reader, count) {
  while (reader.heldBits < count) {
    if (reader.at >= reader.input.length) throw damaged();
    reader.held |= reader.input[reader.at++] << reader.heldBits;
    reader.heldBits += 8;
  }
  const value = reader.held & ((1 << count) - 1);
  reader.held >>>= count;
  reader.heldBits -= count;
  return value;
}

/** One symbol, bit by bit along the canonical code. */
function readSymbol(reader, { counts, symbols }) {
  let code = 0;
  let first = 0;
  let index = 0;
  for (let length = 1; length < 16; length++) {
    code |= readBits(reader, 1);
    const count = counts[length];
    if (code - count < first) return symbols[index + code - first];
    index += count;
    first = (first + count) << 1;
    code <<= 1;
  }
  throw damaged();
}

/** Bits are read a byte at a time, so what is held belongs to the byte that ends here. */
function copyStored(reader, output) {
  const { input, at } = reader;
  const length = input[at] | (input[at + 1] << 8);
  const check = input[at + 2] | (input[at + 3] << 8);
  const end = at + 4 + length;
  if (end > input.length || check !== (length ^ 0xffff) || output.size + length > output.bytes.length)
    throw damaged();
  output.bytes.set(input.subarray(at + 4, end), output.size);
  output.size += length;
  Object.assign(reader, { at: end, held: 0, heldBits: 0 });
}

function unpack(reader, output, { lengths, distances }) {
  const { bytes } = output;
  for (;;) {
    const code = readSymbol(reader, lengths);
    if (code === 256) return;
    if (code < 256) {
      if (output.size >= bytes.length) throw damaged();
      bytes[output.size++] = code;
      continue;
    }
    if (!(code <= 285)) throw damaged();
    const length = lengthBase[code - 257] + readBits(reader, lengthBits[code - 257]);
    const far = readSymbol(reader, distances);
    if (!(far <= 29)) throw damaged();
    const distance = distanceBase[far] + readBits(reader, distanceBits[far]);
    const end = output.size + length;
    if (distance > output.size || end > bytes.length) throw damaged();
    // Byte by byte: a copy may read what it has just written.
    for (; output.size < end; output.size++) bytes[output.size] = bytes[output.size - distance];
  }
}

function readTrees(reader) {
  const lengthCodes = readBits(reader, 5) + 257;
  const distanceCodes = readBits(reader, 5) + 1;
  const codeCodes = readBits(reader, 4) + 4;
  const codeLengths = zeros(19);
  for (let i = 0; i < codeCodes; i++) codeLengths[codeOrder[i]] = readBits(reader, 3);
  const codes = tree(codeLengths);
  const all = [];
  while (all.length < lengthCodes + distanceCodes) {
    const code = readSymbol(reader, codes);
    if (code < 16) all.push(code);
    else if (code === 16 && all.length === 0) throw damaged();
    else {
      const value = code === 16 ? all[all.length - 1] : 0;
      const times =
        code === 16
          ? 3 + readBits(reader, 2)
          : code === 17
            ? 3 + readBits(reader, 3)
            : 11 + readBits(reader, 7);
      for (let i = 0; i < times; i++) all.push(value);
    }
  }
  if (all.length > lengthCodes + distanceCodes) throw damaged();
  return { lengths: tree(all.slice(0, lengthCodes)), distances: tree(all.slice(lengthCodes)) };
}

function zeros(count) {
  return Array.from({ length: count }, () => 0);
}

const codeOrder = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];
const lengthBits = [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0];
const distanceBits = [
  0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13, 13,
];
const lengthBase = bases(lengthBits, 3);
lengthBase[28] = 258;
const distanceBase = bases(distanceBits, 1);

function bases(extra, start) {
  const list = [];
  let base = start;
  for (const count of extra) {
    list.push(base);
    base += 1 << count;
  }
  return list;
}

/** Canonical Huffman codes (RFC 1951 section 3.2.2) as counts per length and symbols in order. */
function tree(lengths) {
  const counts = zeros(16);
  for (const length of lengths) counts[length]++;
  const symbols = [];
  for (let length = 1; length < 16; length++) {
    lengths.forEach((each, index) => {
      if (each === length) symbols.push(index);
    });
  }
  counts[0] = 0;
  return { counts, symbols };
}

function fixedTrees() {
  const lengths = Array.from({ length: 288 }, (_, code) =>
    code < 144 ? 8 : code < 256 ? 9 : code < 280 ? 7 : 8,
  );
  return { lengths: tree(lengths), distances: tree(zeros(30).map(() => 5)) };
}

function adler32(bytes) {
  let a = 1;
  let b = 0;
  for (let at = 0; at < bytes.length;) {
    // 3,800 bytes cannot carry the sums beyond 2^31.
    const end = Math.min(bytes.length, at + 3800);
    for (; at < end; at++) {
      a += bytes[at];
      b += a;
    }
    a %= 65521;
    b %= 65521;
  }
  return b * 65536 + a;
}

/** FIPS 180-4. */
function sha256(bytes) {
  const padded = new Uint8Array(((bytes.length + 8) >> 6) * 64 + 64);
  padded.set(bytes);
  padded[bytes.length] = 0x80;
  const view = new DataView(padded.buffer);
  view.setUint32(padded.length - 8, Math.floor(bytes.length / 0x20000000));
  view.setUint32(padded.length - 4, (bytes.length * 8) >>> 0);
  const hash = Int32Array.from(shaStart);
  const w = new Int32Array(64);
  for (let at = 0; at < padded.length; at += 64) {
    for (let i = 0; i < 16; i++) w[i] = view.getInt32(at + i * 4);
    for (let i = 16; i < 64; i++) {
      const x = w[i - 15];
      const y = w[i - 2];
      const s0 = ((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3);
      const s1 = ((y >>> 17) | (y << 15)) ^ ((y >>> 19) | (y << 13)) ^ (y >>> 10);
      w[i] = w[i - 16] + s0 + w[i - 7] + s1;
    }
    let [a, b, c, d, e, f, g, h] = hash;
    for (let i = 0; i < 64; i++) {
      const s1 = ((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7));
      const one = (h + s1 + ((e & f) ^ (~e & g)) + shaRounds[i] + w[i]) | 0;
      const s0 = ((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10));
      const two = (s0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
      h = g;
      g = f;
      f = e;
      e = (d + one) | 0;
      d = c;
      c = b;
      b = a;
      a = (one + two) | 0;
    }
    [a, b, c, d, e, f, g, h].forEach((value, i) => {
      hash[i] += value;
    });
  }
  return [...hash].map((word) => (word >>> 0).toString(16).padStart(8, "0")).join("");
}

const shaPrimes = [];
for (let n = 2; shaPrimes.length < 64; n++)
  if (shaPrimes.every((prime) => n % prime !== 0)) shaPrimes.push(n);
// First 32 bits of the fractional parts of square roots (8 primes) and cube roots (64 primes).
const shaStart = shaPrimes.slice(0, 8).map((prime) => fractionBits(Math.sqrt(prime)));
const shaRounds = shaPrimes.map((prime) => fractionBits(Math.cbrt(prime)));

function fractionBits(value) {
  return ((value - Math.floor(value)) * 4294967296) | 0;
}

main();
