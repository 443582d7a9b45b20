// Blocks and their messages.
import {h, fill, bare, card, facts, tile, table, badge, problem, copyable} from "./dom.js";
import {rpc} from "./rpc.js";
import {grouped, amount, short, address, blockLink, time, isAddress} from "./format.js";

const gasLimit = 10_000_000_000; // of a block

const perPage = 25;

// overview is the list of blocks, or of the messages of a vector.
export async function overview(app, q) {
  if (app.about.kind === "vector") return vectorOverview(app);
  const from = q.has("from") ? Number(q.get("from")) : null;
  const box = h("div");
  const draw = async (fresh) => {
    const list = await rpc("fvm_blocks", from, perPage);
    fill(box, blockTable(app, list, fresh), pager(app, list, from));
    return list;
  };
  const list = await draw();
  const tiles = h("div", {class: "tiles"});
  const tell = (l) => fill(tiles,
    tile("Latest epoch", grouped(app.latest)), tile("Network version", app.about.network_version), tile("Chain id", app.about.chain_id),
    tile("Base fee", amount(l[0]?.base_fee ?? "0"), "a unit of gas"));
  tell(list);
  if (from === null) {
    let busy = false, again = false;
    app.onBlock = async function redraw(epoch) {
      if (busy) { again = true; return; }
      busy = true;
      try { tell(await draw(epoch)); } catch { /* the next block tells */ }
      busy = false;
      if (again) { again = false; redraw(app.latest); }
    };
  }
  const what = app.about.kind === "chain" ? "Tipsets" : "Blocks";
  return {title: what, heading: [app.about.title, " ", h("span", {class: "soft"}, app.about.kind === "node" ? app.about.network : "chain archive")], body: [tiles, bare(what, box)]};
}

function blockTable(app, list, fresh) {
  const columns = [
    {label: "Epoch", class: "short", cell: (b) => [blockLink(b.epoch), b.edited ? [" ", badge("warn", "edited", "Its state was changed by hand")] : null]},
    {label: "Age", class: "short", cell: (b) => time(b.timestamp)},
    {label: "Hash", cell: (b) => h("span", {class: "mono soft", title: b.hash ?? b.cids[0]}, short(b.hash ?? b.cids[0], 8))},
    {label: "Messages", class: "num", cell: (b) => [b.count < 0 ? "?" : grouped(b.count), b.failed ? [" ", badge("bad", `${b.failed} failed`)] : null]},
  ];
  if (app.about.kind === "chain") columns.splice(3, 0, {label: "Blocks", class: "num", cell: (b) => b.cids.length});
  else columns.push({label: "Gas", class: "num", cell: (b) => [grouped(b.gas_used ?? 0), share((b.gas_used ?? 0) / gasLimit)]});
  return table("Blocks, the newest first", columns, list, (b) => (fresh === b.epoch ? {class: "fresh"} : null));
}

export const share = (part) => h("span", {class: "share", "aria-hidden": "true"}, h("span", {style: {width: `${Math.max(0, Math.min(100, 100 * part))}%`}}));

function pager(app, list, from) {
  const last = list[list.length - 1];
  return h("nav", {class: "pager", "aria-label": "Pages of blocks"},
    h("span", {class: "soft small"}, list.length ? `epochs ${grouped(last.epoch)} to ${grouped(list[0].epoch)}` : "no blocks"),
    h("div", {class: "row"},
      from !== null ? h("a", {href: "#/"}, "Newest") : null,
      last && last.epoch > (app.about.first ?? 0) ? h("a", {href: `#/?from=${last.epoch - 1}`}, "Older →") : null));
}

// block is one with its messages.
export async function block(app, epoch) {
  const b = await rpc("fvm_block", epoch);
  const many = (b.cids?.length ?? 0) > 1;
  const body = [
    h("div", {class: "tiles"}, tile("Messages", grouped(b.count)), tile("Failed", grouped(b.failed ?? 0)), tile("Gas used", grouped(b.gas_used ?? 0)), b.base_fee ? tile("Base fee", amount(b.base_fee)) : null),
    card(many ? "Tipset" : "Block", facts([
      ["Time", b.timestamp ? [new Date(b.timestamp * 1000).toISOString().replace("T", " ").replace(".000Z", " UTC"), " · ", time(b.timestamp)] : ""],
      ["Hash", b.hash ? copyable(b.hash) : ""],
      [many ? "Blocks" : "CID", b.cids?.length ? b.cids.map((c, i) => h("div", null, copyable(c), b.miners?.[i] ? [" by ", address(b.miners[i], epoch)] : null)) : ""],
      ["State after", b.state_root ? copyable(b.state_root) : ""],
      ["Parents", b.parents?.length ? b.parents.map((c) => h("div", {class: "hash"}, c)) : ""],
      ["Actors then", h("a", {href: `#/actors?epoch=${epoch}`}, "all actors after this block")],
    ]), h("nav", {class: "row", "aria-label": "Neighbours"}, epoch > 0 ? h("a", {href: `#/?from=${epoch - 1}`}, "← Older") : null, app.latest > epoch ? h("a", {href: `#/?from=${Math.min(app.latest, epoch + 25)}`}, "Newer →") : null)),
    messageTable(b),
    changesOf(epoch, undefined),
  ];
  return {title: `Block ${grouped(epoch)}`, heading: [many ? "Tipset " : "Block ", h("span", {class: "mono"}, grouped(epoch)), b.edited ? [" ", badge("warn", "state edited by hand")] : null], body};
}

async function vectorOverview(app) {
  const b = await rpc("fvm_block", null);
  const v = app.about.verdict;
  return {
    title: app.about.title, heading: [app.about.title, " ", h("span", {class: "soft"}, app.about.comment ?? "")],
    body: [
      h("div", {class: "tiles"}, tile("Messages", grouped(b.count)), tile("Gas used", grouped(b.gas_used)), tile("Network version", app.about.network_version), tile("Epoch", grouped(b.epoch)),
        v ? tile("As expected", v.matches ? badge("good", "yes") : badge("bad", "no")) : null),
      v && !v.matches ? h("div", {class: "error"}, (v.differences ?? []).map((d) => h("div", null, d))) : null,
      messageTable(b),
    ],
  };
}

const page = 100; // messages at a time

// messageTable lists messages, a hundred at a time, with a filter over all of them.
function messageTable(b) {
  const all = (b.messages ?? []).map((m, i) => ({...m, i}));
  if (!all.length) return card("Messages", h("p", {class: "soft"}, "This block has no messages."));
  const body = h("div"), count = h("span", {class: "soft small", role: "status"});
  let first = 0, text = "", failed = false;
  const columns = [
    {label: "#", class: "short", cell: (m) => h("a", {href: `#/message/${b.epoch}/${m.i}`, "aria-label": `Message ${m.i}: ${m.name}`}, m.i)},
    {label: "Result", class: "short", cell: (m) => result(m)},
    {label: "Method", cell: (m) => [h("a", {class: "method", href: `#/message/${b.epoch}/${m.i}`}, m.name), m.selector ? h("span", {class: "mono soft"}, " ", m.selector) : null]},
    {label: "From", class: "short", cell: (m) => address(m.from, b.epoch)},
    {label: "To", class: "short", cell: (m) => [address(m.to, b.epoch), m.actor ? h("div", {class: "soft small"}, m.actor) : null]},
    {label: "Value", class: "num", cell: (m) => (m.value === "0" ? h("span", {class: "soft"}, "0") : amount(m.value))},
    {label: "Gas", class: "num", cell: (m) => [grouped(m.gas_used), share(m.gas_limit ? m.gas_used / m.gas_limit : 0)]},
  ];
  const draw = () => {
    const t = text.toLowerCase();
    const rows = all.filter((m) => (!failed || m.exit_code !== 0) && (!t || [m.from, m.to, m.name, m.actor, m.cid, m.hash, m.selector].some((x) => x && x.toLowerCase().includes(t))));
    first = Math.min(first, Math.max(0, Math.floor((rows.length - 1) / page) * page));
    const shown = rows.slice(first, first + page);
    count.textContent = rows.length === all.length ? `${grouped(all.length)} messages` : `${grouped(rows.length)} of ${grouped(all.length)} messages`;
    fill(body, table("Messages in the order in which they were executed", columns, shown),
      rows.length > page ? h("nav", {class: "pager", "aria-label": "Pages of messages"}, h("span", {class: "soft small"}, `${first + 1} to ${first + shown.length} of ${grouped(rows.length)}`),
        h("div", {class: "row"}, step("← Previous", first > 0, -page), step("Next →", first + page < rows.length, page))) : null);
  };
  const step = (label, on, by) => h("button", {type: "button", disabled: !on, onclick: () => { first += by; draw(); body.scrollIntoView({block: "nearest"}); }}, label);
  draw();
  const filter = h("input", {type: "search", placeholder: "filter", "aria-label": "Filter messages by address, method, hash or CID", oninput: (e) => { text = e.target.value.trim(); first = 0; draw(); }});
  const only = h("label", {class: "small"}, h("input", {type: "checkbox", onchange: (e) => { failed = e.target.checked; first = 0; draw(); }}), " failed only");
  return bare("Messages", body, count, all.length > 3 ? [only, filter] : null);
}

export function result(m) {
  if (m.exit_code === null || m.exit_code === undefined) return badge("warn", "no receipt");
  return m.exit_code === 0 ? badge("good", "ok") : badge("bad", `exit ${m.exit_code}`);
}

// changesOf is a part that is filled when it is opened.
export function changesOf(epoch, index) {
  const body = h("div");
  const button = h("button", {type: "button", onclick: async () => {
    button.disabled = true;
    try {
      const c = await rpc("fvm_changes", epoch, index ?? null);
      button.remove();
      fill(body, changeTable(c, epoch, index));
    } catch (err) { button.disabled = false; fill(body, problem(err)); }
  }}, "Compare the states");
  return bare("State changes", [h("div", {class: "pager"}, h("span", {class: "soft small"}, "What differs between the state before and after, by the actors' types."), button), body]);
}

function changeTable(c, epoch, index) {
  const note = c.of === "block" && index !== undefined ? "These are the changes of the whole block." : "";
  return [note || c.cut ? h("p", {class: "note"}, note, c.cut ? " There are more than are shown." : "") : null,
    c.changes.length ? table("State changes", [
      {label: "Change", class: "short", cell: (x) => badge({added: "good", removed: "bad", changed: "warn"}[x.op] ?? "", x.op)},
      {label: "Actor", class: "short", cell: (x) => [address(x.actor, epoch), h("div", {class: "soft small"}, x.kind)]},
      {label: "Where", cell: (x) => [h("span", {class: "mono"}, x.path.replace(/^\/actors\/[^/]+\/?/, "") || "the actor"), x.type ? h("div", {class: "soft small"}, x.type) : null]},
      {label: "Before and after", cell: (x) => beforeAfter(x)},
    ], c.changes) : h("p", {class: "loading"}, "Nothing differs.")];
}

function beforeAfter(x) {
  if (x.more || x.less) return [x.less ? h("div", null, badge("bad", "−"), " ", h("span", {class: "mono"}, x.less)) : null, x.more ? h("div", null, badge("good", "+"), " ", h("span", {class: "mono"}, x.more)) : null];
  const pick = (v) => (x.fields?.length && v && typeof v === "object" ? Object.fromEntries(x.fields.map((f) => [f, v[f]])) : v);
  const show = (v) => {
    const s = v === undefined || v === null ? "" : typeof v === "string" ? v : JSON.stringify(v, null, 1);
    if (s.length <= 120) return isAddress(s) ? address(s) : h("span", {class: "mono"}, s);
    return h("details", null, h("summary", null, s.slice(0, 60), "…"), h("pre", {tabindex: "0"}, s));
  };
  const a = pick(x.before), b = pick(x.after);
  if (a === undefined) return show(b);
  if (b === undefined) return h("s", {class: "soft"}, show(a));
  return [h("div", {class: "soft"}, show(a)), h("div", null, "→ ", show(b))];
}
