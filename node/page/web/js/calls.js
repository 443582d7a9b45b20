// The tree of calls of a message.
import {h, fill, badge, json} from "./dom.js";
import {milli, percent, amount, grouped} from "./format.js";
import {share} from "./blocks.js";

const most = 300; // calls that are shown at first

export function callTree(root, epoch) {
  const total = root.gas_total_milli;
  const box = h("div");
  const draw = (limit) => {
    let left = limit, hidden = 0;
    const count = (c) => 1 + (c.calls ?? []).reduce((n, x) => n + count(x), 0);
    const items = (list) => {
      const out = [];
      for (const c of list ?? []) {
        if (left <= 0) { hidden += count(c); continue; }
        left--;
        const below = items(c.calls);
        out.push(h("li", null, line(c, total, epoch), below.length ? h("ul", null, below) : null));
      }
      return out;
    };
    const list = items(root.calls);
    fill(box, h("ul", {class: "calls"}, list,
      h("li", null, h("div", {class: "call"}, h("div", {class: "what soft"}, "the message itself: inclusion in the chain, and its return value"), gas(root.gas_self_milli, total)))),
      hidden ? h("p", null, h("button", {type: "button", onclick: () => draw(1e9)}, `Show ${grouped(hidden)} more calls`)) : null);
  };
  draw(most);
  return box;
}

const gas = (milligas, total) => h("div", {class: "gas"}, milli(milligas), h("span", {class: "soft"}, ` ${percent(milligas, total)}`), share(milligas / total));

function line(c, total, epoch) {
  const failed = c.errno || c.exit_code !== 0;
  const who = c.id === undefined ? c.to : `f0${c.id}`;
  const data = h("div", {class: "data", hidden: true});
  const open = h("button", {type: "button", class: "link", "aria-expanded": "false", onclick: () => {
    const on = data.hidden;
    if (on && !data.firstChild) fill(data, details(c, epoch));
    data.hidden = !on;
    open.setAttribute("aria-expanded", String(on));
  }}, h("strong", null, c.name));
  return h("div", {class: failed ? "call bad" : "call"},
    h("div", {class: "what"}, open, " ", h("span", {class: "soft"}, c.actor || "actor", " "), h("a", {class: "mono", href: `#/actor/${encodeURIComponent(who)}?epoch=${epoch}`}, who),
      c.value && c.value !== "0" ? [" · ", amount(c.value)] : null, c.read_only ? [" ", badge("", "read only")] : null, c.creates ? [" ", badge("warn", "makes an account")] : null,
      failed ? [" ", badge("bad", c.exit_code === undefined ? (c.errno ? "not run" : "no end") : `exit ${c.exit_code}`), " ", h("span", {class: "small soft"}, c.meaning ?? "")] : null),
    gas(c.gas_total_milli, total), data);
}

function details(c, epoch) {
  const kinds = Object.entries(c.gas_by_kind_milli ?? {}).sort((a, b) => b[1] - a[1]);
  return [
    h("p", {class: "small soft"}, `own gas ${milli(c.gas_self_milli)}`, c.gas_limit ? ` · limit ${grouped(c.gas_limit)}` : "", ` · ${grouped(c.params_bytes)} bytes in, ${grouped(c.return_bytes)} out`, ` · method ${c.method}`, ` · called as ${c.to}`),
    kinds.length ? h("p", {class: "small"}, kinds.map(([k, v]) => `${k} ${milli(v)}`).join(" · ")) : null,
    c.params_value !== undefined ? [h("div", {class: "small soft"}, "Parameters"), json(c.params_value)] : null,
    c.return_value !== undefined ? [h("div", {class: "small soft"}, "Returned"), json(c.return_value)] : null,
  ];
}
