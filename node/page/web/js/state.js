// Places in a state: fields of structs, entries of maps and arrays, by path.
import {h, bare, table, json, badge} from "./dom.js";
import {rpc} from "./rpc.js";
import {grouped, address, isAddress, bytes} from "./format.js";

const perPage = 50;

const link = (path, epoch, first) => `#/state?path=${encodeURIComponent(path)}${epoch === null || epoch === undefined ? "" : `&epoch=${epoch}`}${first ? `&first=${first}` : ""}`;

export async function place(app, q) {
  const path = q.get("path") ?? "", epoch = q.has("epoch") ? Number(q.get("epoch")) : null, first = Number(q.get("first") ?? 0);
  const p = await rpc("fvm_state", path, epoch, {first, count: perPage});
  const parts = path.split("/").filter(Boolean);
  const crumbs = h("nav", {"aria-label": "Path"}, parts.map((x, i) => [" / ", i === parts.length - 1 ? h("span", {"aria-current": "page"}, x)
    : i < 1 ? h("a", {href: "#/actors"}, x) : i === 1 ? h("a", {href: `#/actor/${encodeURIComponent(x)}${epoch === null ? "" : `?epoch=${epoch}`}`}, x) : h("a", {href: link(parts.slice(0, i + 1).join("/"), epoch)}, x)]));
  return {title: parts[parts.length - 1] ?? "State", menu: "#/actors", heading: h("span", {class: "mono"}, crumbs), body: bare([p.shape, p.count !== undefined ? h("span", {class: "soft"}, ` · ${grouped(p.count)} entries`) : null], placeView(p, epoch, first))};
}

// placeView is a place with links to what lies below.
export function placeView(p, epoch, first = 0) {
  const out = [p.missing ? h("p", {class: "note"}, "Parts of it are not here: a vector has only what its messages touch.") : null];
  if (p.fields) {
    out.push(table("Fields", [
      {label: "Field", class: "short", cell: (f) => (f.to ? h("a", {href: link(`${p.path}/${f.name}`, epoch)}, f.name) : f.name)},
      {label: "Value", cell: (f) => (f.to ? [h("a", {href: link(`${p.path}/${f.name}`, epoch)}, f.to), f.count !== undefined ? [" ", badge("", f.count === 1 ? "1 entry" : `${grouped(f.count)} entries`)] : null, h("div", {class: "hash soft"}, f.value)] : value(f.value))},
    ], p.fields));
  } else if (p.entries) {
    out.push(p.entries.length ? table("Entries", [
      {label: "Key", class: "short", cell: (e) => h("a", {class: "mono", href: link(`${p.path}/${e.key}`, epoch)}, e.key)},
      {label: "Value", cell: (e) => value(e.value)},
    ], p.entries) : h("p", {class: "loading"}, "empty"));
    if (first || p.more) out.push(h("nav", {class: "pager", "aria-label": "Pages of entries"}, h("span", {class: "soft small"}, `from entry ${grouped(first + 1)}`),
      h("div", {class: "row"}, first ? h("a", {href: link(p.path, epoch, Math.max(0, first - perPage))}, "← Previous") : null, p.more ? h("a", {href: link(p.path, epoch, first + perPage)}, "Next →") : null)));
  } else out.push(h("div", {class: "pager"}, typeof p.value === "string" && p.value.length > 400 ? [h("span", {class: "soft small"}, bytes((p.value.length - 2) / 2)), json(p.value)] : value(p.value)));
  return out;
}

function value(v) {
  if (v === null || v === undefined) return h("span", {class: "soft"}, "null");
  if (isAddress(v)) return address(v, undefined, true);
  if (typeof v !== "object") return h("span", {class: "hash"}, String(v));
  const text = JSON.stringify(v, null, 1);
  return text.length < 90 ? h("span", {class: "hash"}, JSON.stringify(v)) : h("details", {open: text.length < 700}, h("summary", {class: "hash"}, Array.isArray(v) ? `${v.length} items` : Object.keys(v).slice(0, 6).join(", ")), json(v));
}
