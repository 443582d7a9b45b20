// Actors: the list, and one with its state.
import {h, fill, bare, card, facts, table, badge, problem, copyable, later} from "./dom.js";
import {rpc} from "./rpc.js";
import {grouped, amount, address, blockLink, short} from "./format.js";
import {placeView} from "./state.js";
import {deadlines} from "./deadlines.js";

const perPage = 100;

const epochOf = (q) => (q.has("epoch") ? Number(q.get("epoch")) : null);

export async function actors(app, q) {
  const epoch = epochOf(q), first = Number(q.get("first") ?? 0), kind = q.get("kind") ?? "";
  const l = await rpc("fvm_actors", epoch, first, perPage, kind || null);
  const to = (o) => {
    const p = new URLSearchParams();
    if (epoch !== null) p.set("epoch", epoch);
    for (const [k, v] of Object.entries({kind, first: 0, ...o})) if (v) p.set(k, v);
    return `#/actors?${p}`;
  };
  const kinds = Object.entries(l.kinds).sort();
  const pick = h("select", {"aria-label": "Kind of actor", onchange: (e) => { location.hash = to({kind: e.target.value}); }},
    h("option", {value: ""}, `all kinds (${grouped(kinds.reduce((n, [, c]) => n + c, 0))})`), kinds.map(([k, n]) => h("option", {value: k, selected: k === kind}, `${k || "unknown"} (${grouped(n)})`)));
  const body = [
    table("Actors in the order of their ids", [
      {label: "Id", class: "short", cell: (a) => address(a.id, epoch ?? undefined)},
      {label: "Kind", class: "short", cell: (a) => a.kind || "unknown"},
      {label: "Address", cell: (a) => (a.eth ? address(a.eth, epoch ?? undefined, true) : h("span", {class: "mono", title: a.address}, short(a.address, 12) ?? ""))},
      {label: "Balance", class: "num", cell: (a) => amount(a.balance)},
      {label: "Nonce", class: "num", cell: (a) => grouped(a.nonce)},
    ], l.actors),
    h("nav", {class: "pager", "aria-label": "Pages of actors"}, h("span", {class: "soft small"}, l.actors.length ? `${grouped(first + 1)} to ${grouped(first + l.actors.length)} of ${grouped(l.total)}` : "none"),
      h("div", {class: "row"}, first > 0 ? h("a", {href: to({first: Math.max(0, first - perPage)})}, "← Previous") : null, first + perPage < l.total ? h("a", {href: to({first: first + perPage})}, "Next →") : null)),
  ];
  return {title: "Actors", menu: "#/actors", heading: ["Actors ", h("span", {class: "soft"}, "after epoch ", grouped(l.epoch))], body: bare("Actors", body, pick)};
}

export async function actor(app, text, q) {
  const epoch = epochOf(q);
  const a = await rpc("fvm_actor", text, epoch);
  const body = [
    epoch !== null && epoch < app.latest ? h("p", {class: "note"}, `This is the actor after epoch ${grouped(epoch)}. `, h("a", {href: `#/actor/${encodeURIComponent(text)}`}, "Show it now")) : null,
    card("Actor", facts([
      ["Id", copyable(a.id)], ["Kind", a.kind || "unknown"], ["Ethereum address", a.eth ? copyable(a.eth) : ""], ["Delegated address", a.address ? copyable(a.address) : ""],
      ["Balance", amount(a.balance)], ["Nonce", grouped(a.nonce)], ["Code", h("span", {class: "hash"}, a.code, a.bundle ? h("span", {class: "soft"}, ` ${a.bundle}`) : null)], ["Head", h("span", {class: "hash"}, a.head)], ["State of", app.about.kind === "vector" ? grouped(a.epoch) : blockLink(a.epoch)],
    ]), app.about.kind === "node" || app.about.kind === "chain" ? h("a", {href: `#/call?to=${encodeURIComponent(a.eth || a.id)}`}, "Call a method") : null),
    a.kind === "storageminer" ? card("Deadlines and partitions", later(rpc("fvm_deadlines", a.id, epoch), (d) => deadlines(d, a.path, epoch))) : null,
    a.kind === "evm" ? storage(a, epoch) : null,
    a.note ? h("p", {class: "note"}, a.note) : null,
    a.state ? bare(["State ", h("span", {class: "soft small"}, a.state.shape)], placeView(a.state, epoch)) : null,
  ];
  return {title: `${a.kind || "actor"} ${a.id}`, menu: "#/actors", heading: [a.kind || "actor", " ", h("span", {class: "mono"}, a.eth || a.id)], body};
}

// storage reads one slot of a contract.
function storage(a, epoch) {
  const out = h("div", {role: "status"});
  const slot = h("input", {id: "slot", placeholder: "0x0, or a decimal number", autocomplete: "off", spellcheck: "false"});
  return card("Storage", h("form", {class: "row", onsubmit: async (e) => {
    e.preventDefault();
    try {
      const p = await rpc("fvm_state", `${a.path}/ContractState/${slot.value.trim() || "0"}`, epoch);
      fill(out, h("p", {class: "hash"}, typeof p.value === "string" ? p.value : JSON.stringify(p.value)));
    } catch (err) { fill(out, /there is no|not found|empty/.test(err.message) ? h("p", {class: "soft"}, "0: nothing was written there") : problem(err)); }
  }}, h("label", {for: "slot"}, "Slot"), slot, h("button", {type: "submit"}, "Read"), h("a", {href: stateLink(`${a.path}/ContractState`, epoch)}, "all slots"), h("a", {href: stateLink(`${a.path}/Bytecode`, epoch)}, "bytecode"), out));
}

export const stateLink = (path, epoch) => `#/state?path=${encodeURIComponent(path)}${epoch === null || epoch === undefined ? "" : `&epoch=${epoch}`}`;
