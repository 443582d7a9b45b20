// A message: what it was, its calls, its gas, its events.
import {h, bare, card, facts, tile, table, badge, copyable, json} from "./dom.js";
import {rpc} from "./rpc.js";
import {grouped, milli, percent, amount, address, blockLink, isAddress} from "./format.js";
import {abiParam} from "./abi.js";
import {changesOf, share} from "./blocks.js";
import {callTree} from "./calls.js";
import {flame} from "./flame.js";

export async function message(app, epoch, index) {
  const m = await rpc("fvm_explain", epoch, index, abiParam());
  const total = m.calls.gas_total_milli;
  const ok = m.exit_code === 0;
  const first = m.calls.calls?.[0];
  const body = [
    m.failure && !ok ? h("p", {class: "error"}, m.failure) : null,
    h("div", {class: "tiles"}, tile("Result", [ok ? badge("good", "ok") : badge("bad", m.exit_code === null ? "no receipt" : `exit ${m.exit_code}`), " ", h("span", {class: "small soft"}, ok ? "" : m.meaning)]),
      tile("Gas used", grouped(m.gas_used)), tile("Calls", grouped(count(m.calls))), tile("Events", grouped(m.events_decoded.length)), tile("Value", amount(m.value))),
    h("div", {class: "two"},
      card("Message", facts([
        ["Block", app.about.kind === "vector" ? h("a", {href: "#/"}, grouped(epoch)) : blockLink(epoch)],
        ["From", address(m.from_eth ?? m.from, epoch, true)],
        ["To", [address(m.to_eth && m.to[1] === "4" ? m.to_eth : m.to, epoch, true), first?.actor ? h("span", {class: "soft"}, ` ${first.actor}`) : null]],
        ["Method", [h("span", {class: "method"}, m.name), h("span", {class: "soft"}, ` ${m.method}`)]],
        ["Nonce", m.implicit ? "none: the system's own, or impersonated" : m.nonce],
        ["Gas limit", m.gas_limit ? [grouped(m.gas_limit), h("span", {class: "soft"}, ` · ${percent(m.gas_used, m.gas_limit)} used`)] : ""],
        ["Fees", m.fees ? fees(m.fees) : ""],
        ["Return", m.return ? copyable("0x" + m.return, m.return.length > 160 ? `0x${m.return.slice(0, 160)}… (${grouped(m.return.length / 2)} bytes)` : "0x" + m.return) : ""],
      ])),
      card("Gas by kind", gasTable(m.gas_by_kind, total))),
    first?.params_value !== undefined || first?.return_value !== undefined ? card("Data", h("div", {class: "two"},
      first.params_value !== undefined ? h("div", null, h("h3", {class: "small soft"}, "Parameters"), json(first.params_value)) : null,
      first.return_value !== undefined ? h("div", null, h("h3", {class: "small soft"}, "Returned"), json(first.return_value)) : null)) : null,
    card("Calls", callTree(m.calls, epoch)),
    card("Flame graph", flame(m.calls)),
    m.events_decoded.length ? bare("Events", table("Events", [
      {label: "#", class: "short", cell: (_, i) => i},
      {label: "Emitter", class: "short", cell: (e) => address(`f0${e.emitter}`, epoch)},
      {label: "Event", cell: (e) => h("span", {class: "method"}, e.log ? e.log.signature || e.log.selector || "log" : e.type || "event")},
      {label: "Data", cell: (e) => eventData(e)},
    ], m.events_decoded), abiParam() ? null : h("a", {class: "small", href: "#/contracts"}, "decode with an ABI")) : null,
    changesOf(epoch, index),
  ];
  return {title: `${m.name} · ${grouped(epoch)}/${index}`, heading: [m.name, " ", h("span", {class: "soft"}, "message ", h("span", {class: "mono"}, `${grouped(epoch)}/${index}`))], body};
}

const count = (c) => (c.calls ?? []).reduce((n, x) => n + 1 + count(x), 0);

function fees(f) {
  const parts = [["burned", f.base_fee_burn], ["tip", f.miner_tip], ["burned for a limit too high", f.over_estimation_burn], ["given back", f.refund], ["penalty", f.penalty]];
  return parts.filter(([, v]) => v && v !== "0").map(([k, v]) => h("div", null, amount(v), h("span", {class: "soft"}, ` ${k}`)));
}

export function gasTable(shares, total) {
  return h("table", null, h("caption", {class: "hidden"}, "Gas by kind"), h("thead", {class: "hidden"}, h("tr", null, h("th", {scope: "col"}, "Kind"), h("th", {scope: "col"}, "Gas"), h("th", {scope: "col"}, "Share"))),
    h("tbody", null, (shares ?? []).map((s) => h("tr", null, h("td", null, s.kind, share(s.milligas / total)), h("td", {class: "num"}, milli(s.milligas)), h("td", {class: "num soft"}, percent(s.milligas, total))))));
}

function eventData(e) {
  if (e.log) {
    if (e.log.args) return facts(Object.entries(e.log.args).map(([k, v]) => [k, value(v)]));
    return (e.log.words ?? []).map((w) => h("div", {class: "hash"}, w));
  }
  return facts((e.fields ?? []).map((f) => [f.key, [value(f.value), f.indexed ? h("span", {class: "soft small"}, " indexed") : null]]));
}

const value = (v) => (isAddress(v) ? address(v, undefined, true) : h("span", {class: "hash"}, typeof v === "string" ? v : JSON.stringify(v)));
