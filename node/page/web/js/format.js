import {h} from "./dom.js";

export const grouped = (n) => (n === undefined || n === null ? "" : BigInt(n).toString().replace(/\B(?=(\d{3})+(?!\d))/g, ","));

// milli is milligas as gas.
export function milli(n) {
  const g = Math.trunc(n / 1000), rest = Math.abs(n % 1000);
  return grouped(g) + (rest ? "." + String(rest).padStart(3, "0").replace(/0+$/, "") : "");
}

export const percent = (part, of) => (of ? `${((100 * part) / of).toFixed(1)}%` : "");

// fil is attoFIL for people.
export function fil(atto) {
  if (atto === undefined || atto === null || atto === "") return "";
  let v = BigInt(atto);
  const sign = v < 0n ? "−" : "";
  if (v < 0n) v = -v;
  const one = 10n ** 18n;
  if (v === 0n) return "0 FIL";
  if (v < 10n ** 9n) return `${sign}${grouped(v)} attoFIL`;
  if (v < 10n ** 15n) return `${sign}${decimals(v, 9n)} nanoFIL`;
  return `${sign}${decimals(v, 18n, one)} FIL`;
}

function decimals(v, places) {
  const unit = 10n ** places;
  const rest = (v % unit).toString().padStart(Number(places), "0").slice(0, 6).replace(/0+$/, "");
  return grouped(v / unit) + (rest ? "." + rest : "");
}

// amount is fil with all of it over the pointer.
export const amount = (atto) => h("span", {title: `${grouped(atto || "0")} attoFIL`}, fil(atto));

// short cuts the middle of a long word.
export const short = (s, n = 8) => (s && s.length > 2 * n + 3 ? `${s.slice(0, n + 2)}…${s.slice(-n)}` : s);

export const bytes = (n) => (n < 1024 ? `${n} B` : n < 1 << 20 ? `${(n / 1024).toFixed(1)} KiB` : n < 2 ** 30 ? `${(n / 2 ** 20).toFixed(1)} MiB` : `${(n / 2 ** 30).toFixed(1)} GiB`);

export function time(seconds) {
  if (!seconds) return "";
  const d = new Date(seconds * 1000);
  return h("time", {datetime: d.toISOString(), title: d.toISOString()}, ago(seconds));
}

export function ago(seconds) {
  const d = Math.round(Date.now() / 1000 - seconds);
  const f = new Intl.RelativeTimeFormat("en", {numeric: "auto"});
  const a = Math.abs(d), s = d < 0 ? 1 : -1;
  if (a < 60) return f.format(s * a, "second");
  if (a < 3600) return f.format(s * Math.floor(a / 60), "minute");
  if (a < 86400) return f.format(s * Math.floor(a / 3600), "hour");
  return f.format(s * Math.floor(a / 86400), "day");
}

export const isAddress = (s) => typeof s === "string" && /^(0x[0-9a-fA-F]{40}|[ft](0[0-9]{1,20}|[1-4][a-z0-9]{10,110}))$/.test(s);

// address links to an actor.
export function address(s, epoch, long) {
  if (!s) return "";
  const q = epoch === undefined ? "" : `?epoch=${epoch}`;
  return h("a", {class: "mono", href: `#/actor/${encodeURIComponent(s)}${q}`, title: s}, long ? s : short(s, 6));
}

export const blockLink = (epoch) => h("a", {href: `#/block/${epoch}`, class: "mono"}, grouped(epoch));
