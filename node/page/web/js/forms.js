// Forms that call methods: of builtin actors with typed parameters, and of contracts by ABI.
import {h, fill, card, badge, problem, json, freshId, say} from "./dom.js";
import {rpc} from "./rpc.js";
import {grouped, amount} from "./format.js";
import {abiFiles, abiParam} from "./abi.js";

const invokeEVM = 3844450837;

export async function callForm(app, q) {
  const node = app.about.kind === "node";
  const to = q.get("to") ?? "";
  const wallet = node ? await rpc("Filecoin.WalletList").catch(() => []) : [];
  const accounts = node ? await rpc("eth_accounts").catch(() => []) : [];
  return {title: "Call a method", menu: "#/call", body: [
    node ? null : h("p", {class: "note"}, "This is an archive: calls can be tried at its head, and nothing is sent."),
    h("div", {class: "two"}, builtin(node, to, wallet), contract(node, to, accounts)),
  ]};
}

function field(label, input, hint) {
  const id = freshId("f");
  input.id = id;
  return h("div", {class: "field"}, h("label", {for: id}, label), input, hint ? h("span", {class: "soft small"}, hint) : null);
}

const pick = (list, label) => (list.length ? h("select", {"aria-label": label}, list.map((x) => h("option", {value: x}, x))) : h("input", {placeholder: "f0… or f1…", value: "f099"}));

const atto = (fil) => {
  const m = /^(\d*)(?:\.(\d{0,18}))?$/.exec(fil.trim() || "0");
  if (!m) throw new Error(`${fil} is no amount of FIL`);
  return (BigInt(m[1] || "0") * 10n ** 18n + BigInt((m[2] ?? "").padEnd(18, "0"))).toString();
};

// builtin is the form of builtin actors' methods.
function builtin(node, to, wallet) {
  const address = h("input", {value: to, placeholder: "f04, f01000, 0x…", autocomplete: "off", spellcheck: "false", required: true});
  const from = pick(wallet, "From"), value = h("input", {value: "0", inputmode: "decimal"});
  const method = h("select", {disabled: true}), params = h("div"), out = h("div", {"aria-live": "polite"});
  let list = null, editor = null, loaded = "";
  const load = async () => {
    if (!address.value.trim() || loaded === address.value) return;
    loaded = address.value;
    try {
      list = await rpc("fvm_methods", address.value.trim());
      fill(method, list.methods.map((m) => h("option", {value: m.name}, `${m.name} (${m.number})`)));
      method.disabled = false;
      fill(out, h("p", {class: "soft small"}, `${list.actor}, actors v${list.version}: ${list.methods.length} methods`));
      choose();
    } catch (err) { list = null; method.disabled = true; fill(method); fill(params); fill(out, problem(err)); }
  };
  const choose = () => {
    const m = list?.methods.find((x) => x.name === method.value);
    editor = m?.params ? typed(m.template) : null;
    fill(params, m?.params ? h("fieldset", null, h("legend", null, `Parameters: ${m.params}`), editor.element) : h("p", {class: "soft small"}, "It takes no parameters."));
  };
  address.addEventListener("change", load);
  method.addEventListener("change", choose);
  const message = async () => {
    await load();
    if (!list) throw new Error("Name an actor first.");
    const m = list.methods.find((x) => x.name === method.value);
    const of = {actor: list.actor, version: list.version, method: String(m.number)};
    const enc = await rpc("fvm_encodeParams", of, editor ? editor.value() : null);
    return {m, of, msg: {Version: 0, From: from.value, To: address.value.trim(), Value: atto(value.value), Method: m.number, Params: enc.base64, Nonce: 0, GasLimit: 0, GasFeeCap: "0", GasPremium: "0"}};
  };
  const run = (what) => async (e) => {
    e?.preventDefault();
    fill(out, h("p", {class: "soft"}, "…"));
    try { fill(out, await what(await message())); } catch (err) { fill(out, problem(err)); }
  };
  const tryIt = run(async ({of, msg}) => {
    const r = await rpc("Filecoin.StateCall", msg, null);
    return receipt(r.MsgRct, r.Error, of);
  });
  const send = run(async ({of, msg}) => {
    const s = await rpc("Filecoin.MpoolPushMessage", msg, null);
    const cid = s.CID["/"];
    const found = await where(cid);
    const look = found ? await rpc("Filecoin.StateSearchMsg", null, s.CID, -1, true).catch(() => null) : null;
    say("The message was sent");
    return [h("p", null, badge("good", "sent"), " ", found ? h("a", {href: `#/message/${found.epoch}/${found.message}`}, `message ${grouped(found.epoch)}/${found.message}`) : h("span", {class: "hash"}, cid, " waits for a block")), look ? receipt(look.Receipt, "", of) : null];
  });
  if (to) queueMicrotask(load);
  return card("Builtin actors", h("form", {class: "form", onsubmit: node ? send : tryIt}, field("Actor", address, "an address; its kind tells the methods"), field("Method", method), params, field("From", from), field("Value in FIL", value),
    h("div", {class: "row"}, h("button", {type: "button", onclick: tryIt, class: node ? "" : "main"}, "Try"), node ? h("button", {type: "submit", class: "main"}, "Send") : null), out));
}

const where = async (text) => {
  for (let i = 0; i < 4; i++) {
    const f = await rpc("fvm_find", text);
    if (f.kind === "message") return {epoch: f.epoch ?? 0, message: f.message};
    await new Promise((done) => setTimeout(done, 150));
  }
  return null;
};

async function receipt(r, error, of) {
  const ok = r.ExitCode === 0;
  let back = null;
  if (r.Return && of && ok) back = await rpc("fvm_decodeReturn", of, r.Return).catch(() => null);
  return [h("p", null, ok ? badge("good", "ok") : badge("bad", `exit ${r.ExitCode}`), r.GasUsed ? h("span", {class: "soft"}, ` ${grouped(r.GasUsed)} gas`) : null), error ? h("p", {class: "error"}, error) : null,
    back && (back.value !== null && back.value !== undefined) ? [h("div", {class: "small soft"}, "Returned"), json(back.value)] : null];
}

// typed is a form of a template: {element, value()}.
export function typed(template) {
  const area = h("textarea", {rows: "8", "aria-label": "Parameters as JSON", spellcheck: "false"});
  let asText = false, part = leafOrMore(template);
  const box = h("div", {class: "form"}, part.element);
  const toggle = h("button", {type: "button", class: "link small", onclick: () => {
    asText = !asText;
    if (asText) { area.value = JSON.stringify(part.value(), null, 2); fill(box, area); } else {
      try { part = leafOrMore(merge(template, JSON.parse(area.value))); } catch { asText = true; say("That is no JSON"); return; }
      fill(box, part.element);
    }
    toggle.textContent = asText ? "as fields" : "as JSON";
  }}, "as JSON");
  return {element: h("div", {class: "form"}, box, h("div", null, toggle)), value: () => (asText ? JSON.parse(area.value) : part.value())};
}

const merge = (_, v) => v;

function leafOrMore(t, label) {
  if (Array.isArray(t)) return listOf(t, label);
  if (t && typeof t === "object") {
    const parts = Object.entries(t).map(([k, v]) => [k, leafOrMore(v, k)]);
    const inner = parts.map(([, p]) => p.element);
    return {element: label ? h("fieldset", null, h("legend", null, label), inner) : h("div", {class: "form"}, inner), value: () => Object.fromEntries(parts.map(([k, p]) => [k, p.value()]))};
  }
  return leaf(t, label ?? "value");
}

function listOf(t, label) {
  const model = t[0] ?? null;
  let parts = [];
  const box = h("div", {class: "form"});
  const draw = () => fill(box, parts.map((p, i) => h("div", {class: "row"}, h("div", {class: "field", style: {flex: "1"}}, p.element), h("button", {type: "button", "aria-label": `Remove ${label ?? "item"} ${i + 1}`, onclick: () => { parts = parts.filter((x) => x !== p); draw(); }}, "−"))));
  for (const [i, x] of t.entries()) parts.push(leafOrMore(x, `${label ?? "item"} ${i + 1}`));
  draw();
  return {element: h("fieldset", null, h("legend", null, label ?? "list"), box, h("div", null, h("button", {type: "button", onclick: () => { parts.push(leafOrMore(model, `${label ?? "item"} ${parts.length + 1}`)); draw(); }}, "+ add"))), value: () => parts.map((p) => p.value())};
}

function leaf(t, label) {
  const id = freshId("p");
  if (typeof t === "boolean") {
    const box = h("input", {type: "checkbox", id, checked: t});
    return {element: h("div", null, box, " ", h("label", {for: id}, label)), value: () => box.checked};
  }
  const input = h("input", {id, value: t === null ? "" : String(t), placeholder: t === null ? "null" : "", autocomplete: "off", spellcheck: "false", inputmode: typeof t === "number" ? "numeric" : null});
  const value = () => {
    const s = input.value.trim();
    if (typeof t === "number") { if (!/^-?\d+$/.test(s)) throw new Error(`${label}: ${s || "nothing"} is no whole number`); return Number.isSafeInteger(Number(s)) ? Number(s) : JSON.rawJSON ? JSON.rawJSON(s) : Number(s); }
    if (t === null) { if (s === "" || s === "null") return null; try { return JSON.parse(s); } catch { return s; } }
    return s;
  };
  return {element: h("div", {class: "field"}, h("label", {for: id}, label), input), value};
}

// contract is the form of contracts by ABI, and of plain transfers.
function contract(node, to, accounts) {
  const functions = abiFiles().flatMap((f) => f.entries.filter((e) => e.type === "function").map((e) => ({e, sig: `${e.name}(${(e.inputs ?? []).map(type).join(",")})`, of: f.name})));
  const address = h("input", {value: to.startsWith("0x") ? to : "", placeholder: "0x…", autocomplete: "off", spellcheck: "false", required: true});
  const from = accounts.length ? pick(accounts, "From") : h("input", {placeholder: "0x…"});
  const value = h("input", {value: "0", inputmode: "decimal"});
  const fn = h("select", null, functions.map((f, i) => h("option", {value: i}, `${f.sig} · ${f.of}`)), h("option", {value: "raw"}, "calldata in hex"));
  const args = h("div"), out = h("div", {"aria-live": "polite"});
  let editor = null, raw = null;
  const choose = () => {
    const f = functions[fn.value];
    editor = raw = null;
    if (!f) { raw = h("input", {value: "0x", spellcheck: "false"}); fill(args, field("Calldata", raw)); return; }
    editor = f.e.inputs?.length ? typed(Object.fromEntries(f.e.inputs.map((p, i) => [p.name || `arg${i}`, blank(p)]))) : null;
    fill(args, editor ? h("fieldset", null, h("legend", null, f.e.inputs.map((p) => `${p.type} ${p.name}`).join(", ")), editor.element) : h("p", {class: "soft small"}, "It takes nothing."));
  };
  fn.addEventListener("change", choose);
  choose();
  const call = async () => {
    const f = functions[fn.value];
    const given = editor ? editor.value() : {};
    const data = f ? await rpc("fvm_encodeCall", abiParam(), f.sig, (f.e.inputs ?? []).map((p, i) => given[p.name || `arg${i}`])) : raw.value.trim();
    return {f, tx: {from: from.value || undefined, to: address.value.trim(), data, value: "0x" + BigInt(atto(value.value)).toString(16)}};
  };
  const run = (what) => async (e) => {
    e?.preventDefault();
    fill(out, h("p", {class: "soft"}, "…"));
    try { fill(out, await what(await call())); } catch (err) { fill(out, problem(err)); }
  };
  const read = run(async ({f, tx}) => {
    const r = await rpc("eth_call", tx, "latest");
    const v = f ? await rpc("fvm_decodeResult", abiParam(), f.sig, r) : r;
    return [h("p", null, badge("good", "ok")), json(v)];
  });
  const send = run(async ({tx}) => {
    const hash = await rpc("eth_sendTransaction", tx);
    const found = await where(hash);
    say("The transaction was sent");
    return h("p", null, badge("good", "sent"), " ", found ? h("a", {href: `#/message/${found.epoch}/${found.message}`}, `message ${grouped(found.epoch)}/${found.message}`) : h("span", {class: "hash"}, hash));
  });
  if (!node) return card("Contracts by ABI", h("p", {class: "soft"}, "Of an archive there is no Ethereum interface here: call method InvokeContract of the actor, with calldata as its parameter."));
  return card("Contracts and accounts", h("form", {class: "form", onsubmit: send}, field("Contract or account", address), field("Function", fn, functions.length ? "" : "drop an ABI to have its functions here"), args, field("From", from), field("Value in FIL", value),
    h("div", {class: "row"}, h("button", {type: "button", onclick: read}, "Call"), h("button", {type: "submit", class: "main"}, "Send")), out));
}

const type = (p) => (p.type.startsWith("tuple") ? `(${(p.components ?? []).map(type).join(",")})${p.type.slice(5)}` : p.type);

function blank(p) {
  if (p.type.endsWith("]")) { const m = /^(.*)\[(\d*)\]$/.exec(p.type); const one = blank({...p, type: m[1]}); return m[2] ? Array(Number(m[2])).fill(one) : [one]; }
  if (p.type.startsWith("tuple")) return Object.fromEntries((p.components ?? []).map((c, i) => [c.name || `arg${i}`, blank(c)]));
  return p.type === "bool" ? false : "";
}
