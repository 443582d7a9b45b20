// Elements from data. Whatever comes from a chain goes in as text: nothing here reads HTML.

// h makes an element: h("a", {href: "#/", class: "x", onclick: f}, "text", child, [children]).
export function h(tag, props, ...kids) {
  const e = document.createElement(tag);
  for (const [k, v] of Object.entries(props ?? {})) {
    if (v === undefined || v === null || v === false) continue;
    if (k.startsWith("on")) e.addEventListener(k.slice(2), v);
    else if (k === "style") for (const [p, x] of Object.entries(v)) e.style.setProperty(p, x);
    else if (k === "value") e.value = v;
    else e.setAttribute(k, v === true ? "" : String(v));
  }
  add(e, kids);
  return e;
}

function add(e, kids) {
  for (const k of kids) {
    if (k === undefined || k === null || k === false) continue;
    if (Array.isArray(k)) add(e, k);
    else e.append(k instanceof Node ? k : String(k));
  }
}

// fill puts other children into an element.
export function fill(e, ...kids) {
  e.replaceChildren();
  add(e, kids);
  return e;
}

export const card = (title, body, ...extra) => section("card", title, body, extra);
export const bare = (title, body, ...extra) => section("card bare", title, body, extra);

let ids = 0;
export const freshId = (p) => `${p}-${++ids}`;

function section(kind, title, body, extra) {
  const id = freshId("s");
  return h("section", {class: kind, "aria-labelledby": id},
    h("div", {class: "head"}, h("h2", {id}, title), h("div", {class: "row"}, extra)), h("div", {class: "body"}, body));
}

// facts is a list of names and values; pairs without a value are left out.
export const facts = (pairs) => h("dl", {class: "facts"}, pairs.filter((p) => p && p[1] !== undefined && p[1] !== null && p[1] !== "").map(([k, v]) => [h("dt", null, k), h("dd", null, v)]));

export const tile = (label, value, title) => h("div", {class: "tile", title}, h("div", {class: "label"}, label), h("div", {class: "value"}, value));

// table of columns [{label, class, cell(row)}].
export function table(caption, columns, rows, rowProps) {
  return h("table", {class: "cards"}, h("caption", {class: "hidden"}, caption),
    h("thead", null, h("tr", null, columns.map((c) => h("th", {scope: "col", class: c.class}, c.label)))),
    h("tbody", null, rows.map((r, i) => h("tr", rowProps?.(r, i), columns.map((c) => h("td", {class: c.class, "data-label": c.label}, h("div", null, c.cell(r, i))))))));
}

export const badge = (kind, text, title) => h("span", {class: `badge ${kind}`, title}, text);

// say tells screen readers.
export const say = (text) => { document.getElementById("status").textContent = text; };

export const problem = (err) => h("p", {class: "error", role: "alert"}, err?.message ?? String(err));

// icon is a picture of lines, by the path of an SVG.
function icon(d) {
  const ns = "http://www.w3.org/2000/svg", svg = document.createElementNS(ns, "svg"), path = document.createElementNS(ns, "path");
  svg.setAttribute("viewBox", "0 0 16 16");
  svg.setAttribute("aria-hidden", "true");
  path.setAttribute("d", d);
  svg.append(path);
  return svg;
}

const copyIcon = "M6 5.5h7v8H6zM10 5.5v-3H3v8h3", doneIcon = "M3 8.5l3.5 3.5L13 4.5";

// copyable is a text with a button that copies it.
export function copyable(text, shown) {
  const b = h("button", {type: "button", class: "copy", "aria-label": `Copy ${text.length > 80 ? "it" : text}`, title: "Copy", onclick: async () => {
    try { await navigator.clipboard.writeText(text); fill(b, icon(doneIcon)); say("Copied"); } catch { say("The browser does not allow to copy"); }
    setTimeout(() => fill(b, icon(copyIcon)), 1200);
  }}, icon(copyIcon));
  return h("span", {class: "hash"}, shown ?? text, b);
}

// json is a value as text over lines.
export const json = (v) => h("pre", {tabindex: "0"}, typeof v === "string" ? v : JSON.stringify(v, null, 2));

// later fills an element when a promise is done.
export function later(promise, make, text = "Loading …") {
  const e = h("div", {"aria-busy": "true"}, h("p", {class: "loading"}, text));
  promise.then((v) => fill(e, make(v)), (err) => fill(e, problem(err))).finally(() => e.removeAttribute("aria-busy"));
  return e;
}
