// A bundle of actors' code.
import {h, bare, table, json} from "./dom.js";
import {rpc} from "./rpc.js";
import {bytes, grouped} from "./format.js";

export async function bundle(app) {
  const codes = app.about.codes ?? [];
  return {title: app.about.title, heading: [app.about.title, " ", h("span", {class: "soft"}, "bundle of actors")], body: bare(`${codes.length} actors, ${bytes(codes.reduce((n, c) => n + c.bytes, 0))}`, table("Actors of the bundle", [
    {label: "Actor", class: "short", cell: (c) => (c.versions?.length ? h("a", {href: `#/code/${encodeURIComponent(c.name)}/${c.versions[0]}`}, c.name) : c.name)},
    {label: "Size", class: "num", cell: (c) => bytes(c.bytes)},
    {label: "Code of", cell: (c) => (c.versions?.length ? c.versions.map((v) => `v${v}`).join(", ") : h("span", {class: "soft"}, "no released version"))},
    {label: "CID", cell: (c) => h("span", {class: "hash"}, c.cid)},
  ], codes))};
}

export async function bundleMethods(app, name, version) {
  const l = await rpc("fvm_methods", `${name}@${version}`);
  return {title: name, heading: [name, " ", h("span", {class: "soft"}, `actors v${version}`)], body: bare(`${l.methods.length} methods`, table("Methods", [
    {label: "Number", class: "num", cell: (m) => grouped(m.number)}, {label: "Name", cell: (m) => m.name},
    {label: "Takes", cell: (m) => (m.params ? h("details", null, h("summary", null, m.params), json(m.template)) : h("span", {class: "soft"}, "nothing"))}, {label: "Returns", cell: (m) => m.return ?? h("span", {class: "soft"}, "nothing")},
  ], l.methods))};
}
