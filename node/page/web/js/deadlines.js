// The deadlines of a storage provider as a picture: a cell a deadline, in it its sectors by what they are.
import {h, fill, table, badge} from "./dom.js";
import {grouped, bytes} from "./format.js";
import {stateLink} from "./actors.js";

const kinds = [["active", "active"], ["unproven", "not proven yet"], ["recovering", "recovering"], ["faulty", "faulty"], ["terminated", "terminated"]];

// parts counts a partition's sectors, each once: those that recover are not among the faulty ones.
const parts = (p) => ({active: p.active, unproven: p.unproven, recovering: p.recovering, faulty: Math.max(0, p.faulty - p.recovering), terminated: p.terminated});

const sum = (list) => list.reduce((t, p) => { for (const [k] of kinds) t[k] += p[k]; return t; }, Object.fromEntries(kinds.map(([k]) => [k, 0])));

export function deadlines(d, path, epoch) {
  const all = d.deadlines.map((x) => sum((x.partitions ?? []).map(parts)));
  const size = (t) => kinds.reduce((n, [k]) => n + t[k], 0);
  const largest = Math.max(1, ...all.map(size));
  const total = sum(all);
  const detail = h("div", {"aria-live": "polite"});
  const cells = all.map((t, i) => {
    const text = `Deadline ${i}${i === d.current_deadline ? ", open now" : ""}: ${size(t) ? kinds.filter(([k]) => t[k]).map(([k, name]) => `${grouped(t[k])} ${name}`).join(", ") : "no sectors"}`;
    const b = h("button", {type: "button", "aria-pressed": "false", class: i === d.current_deadline ? "now" : null, "aria-label": text, title: text, tabindex: i ? "-1" : "0", onclick: () => choose(i)},
      h("span", {class: "n"}, i), h("span", {class: "stack"}, kinds.filter(([k]) => t[k]).map(([k]) => h("span", {class: `k-${k}`, style: {height: `${(46 * t[k]) / largest}px`}}))));
    return b;
  });
  const choose = (i) => {
    cells.forEach((c, j) => { c.setAttribute("aria-pressed", String(i === j)); c.tabIndex = i === j ? 0 : -1; });
    const x = d.deadlines[i], list = x.partitions ?? [];
    fill(detail, h("h3", null, `Deadline ${i} `, i === d.current_deadline ? badge("good", "open now") : null, " ", h("a", {class: "small", href: stateLink(`${path}/Deadlines/Due/${i}`, epoch)}, "its state")),
      list.length ? table(`Partitions of deadline ${i}`, [
        {label: "Partition", class: "short", cell: (p) => [p.number, (x.posted ?? []).includes(p.number) ? [" ", badge("good", "proven")] : null]},
        {label: "Sectors", cell: (p) => h("span", {class: "lane", "aria-hidden": "true"}, kinds.filter(([k]) => parts(p)[k]).map(([k]) => h("span", {class: `k-${k}`, style: {width: `${(100 * parts(p)[k]) / Math.max(1, size(parts(p)))}%`}})))},
        ...kinds.map(([k, name]) => ({label: name, class: "num", cell: (p) => grouped(parts(p)[k])})),
      ], list) : h("p", {class: "soft"}, "No partitions."));
  };
  const grid = h("div", {class: "deadlines", role: "group", "aria-label": "48 deadlines: arrows walk, Enter chooses", onkeydown: (e) => {
    const at = cells.indexOf(document.activeElement);
    const to = {ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: cells.length - 1}[e.key];
    if (at < 0 || to === undefined || !cells[to]) return;
    e.preventDefault();
    cells[at].tabIndex = -1;
    cells[to].tabIndex = 0;
    cells[to].focus();
  }}, cells);
  const first = all.findIndex((t) => size(t));
  if (first >= 0) choose(first);
  return [
    h("p", {class: "small soft"}, `${grouped(size(total))} sectors of ${bytes(d.sector_size)} · proving period from epoch ${grouped(d.proving_period_start)} · deadline ${d.current_deadline} is open`, d.cut ? " · there are more partitions than are shown" : "", d.missing ? " · parts of the state are not here" : ""),
    grid,
    h("ul", {class: "legend"}, kinds.map(([k, name]) => h("li", null, h("i", {class: `k-${k}`, "aria-hidden": "true"}), `${name} ${grouped(total[k])}`))),
    detail,
  ];
}
