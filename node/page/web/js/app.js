// The parts of the page by the address behind #, the search, colours, and what comes live.
import {h, fill, problem, say} from "./dom.js";
import {rpc, watch} from "./rpc.js";
import {grouped} from "./format.js";
import {overview, block} from "./blocks.js";
import {message} from "./message.js";
import {actors, actor} from "./actors.js";
import {place} from "./state.js";
import {contracts} from "./contracts.js";
import {callForm} from "./forms.js";
import {bundle, bundleMethods} from "./bundle.js";

const main = document.getElementById("main");
const app = {about: null, latest: 0, onBlock: null};

// parts are what an address shows: a pattern, and a function that gives {title, body}.
const parts = [
  [/^\/?$/, (_, q) => (app.about.kind === "bundle" ? bundle(app) : overview(app, q))],
  [/^\/block\/(\d+)$/, (m) => block(app, Number(m[1]))],
  [/^\/message\/(\d+)\/(\d+)$/, (m) => message(app, Number(m[1]), Number(m[2]))],
  [/^\/actors$/, (_, q) => actors(app, q)],
  [/^\/actor\/([^/]+)$/, (m, q) => actor(app, decodeURIComponent(m[1]), q)],
  [/^\/state$/, (_, q) => place(app, q)],
  [/^\/call$/, (_, q) => callForm(app, q)],
  [/^\/contracts$/, (_, q) => contracts(app, q)],
  [/^\/code\/([^/]+)\/(\d+)$/, (m) => bundleMethods(app, decodeURIComponent(m[1]), Number(m[2]))],
];

const menus = {
  node: [["#/", "Blocks"], ["#/actors", "Actors"], ["#/call", "Call"], ["#/contracts", "ABIs"]],
  chain: [["#/", "Tipsets"], ["#/actors", "Actors"], ["#/call", "Call"], ["#/contracts", "ABIs"]],
  vector: [["#/", "Messages"], ["#/actors", "Actors"], ["#/contracts", "ABIs"]],
  bundle: [["#/", "Actors"]],
};

let turn = 0;

async function show(moved) {
  const mine = ++turn;
  const [path, query] = location.hash.replace(/^#/, "").split("?");
  app.onBlock = null;
  const q = new URLSearchParams(query ?? "");
  let view;
  try {
    const found = parts.map(([re, f]) => [re.exec(path), f]).find(([m]) => m);
    if (!found) throw new Error("This page has no such part.");
    view = await found[1](found[0], q);
  } catch (err) {
    view = {title: "Not found", body: problem(err)};
  }
  if (mine !== turn) return; // another part was asked for meanwhile
  const h1 = h("h1", {tabindex: "-1"}, view.heading ?? view.title);
  fill(main, h1, view.body);
  document.title = `${view.title} · EdgeFVM`;
  for (const a of document.querySelectorAll("#nav a")) {
    const on = a.getAttribute("href") === (view.menu ?? "#/");
    if (on) a.setAttribute("aria-current", "page"); else a.removeAttribute("aria-current");
  }
  if (moved) { window.scrollTo(0, 0); h1.focus({preventScroll: true}); }
  main.dataset.ready = location.hash || "#/";
}

function search(e) {
  e.preventDefault();
  const input = document.getElementById("find");
  const text = input.value.trim().replace(/^\/+/, ""); // the key that leads here may have left its mark
  if (!text) return;
  rpc("fvm_find", text).then((f) => {
    if (f.kind === "none") { say(`Nothing has the name ${text}`); input.setCustomValidity("Nothing here has this name."); input.reportValidity(); return; }
    input.value = "";
    location.hash = f.kind === "block" ? `#/block/${f.epoch ?? 0}` : f.kind === "message" ? `#/message/${f.epoch ?? 0}/${f.message}` : `#/actor/${encodeURIComponent(f.address)}`;
  }, (err) => { input.setCustomValidity(err.message); input.reportValidity(); });
}

const themes = ["", "light", "dark"];
const themeNames = {"": "as the system has them", light: "light", dark: "dark"};

function theme(t) {
  if (t) document.documentElement.dataset.theme = t; else delete document.documentElement.dataset.theme;
  const b = document.getElementById("theme");
  b.textContent = {"": "◐", light: "○", dark: "●"}[t];
  b.setAttribute("aria-label", `Colours: ${themeNames[t]}`);
  b.title = `Colours: ${themeNames[t]}`;
}

function stored(k) { try { return localStorage.getItem(k) ?? ""; } catch { return ""; } }

async function start() {
  theme(stored("edgefvm.theme"));
  document.getElementById("theme").addEventListener("click", () => {
    const t = themes[(themes.indexOf(document.documentElement.dataset.theme ?? "") + 1) % themes.length];
    theme(t);
    try { localStorage.setItem("edgefvm.theme", t); } catch { /* for this visit only */ }
  });
  document.getElementById("search").addEventListener("submit", search);
  document.getElementById("find").addEventListener("input", (e) => e.target.setCustomValidity(""));
  document.addEventListener("keydown", (e) => {
    if (e.key === "/" && !e.ctrlKey && !e.metaKey && !e.altKey && !/^(INPUT|TEXTAREA|SELECT)$/.test(document.activeElement?.tagName)) {
      e.preventDefault();
      document.getElementById("find").focus();
    }
  });
  try {
    app.about = await rpc("fvm_about");
  } catch (err) {
    fill(main, problem(err));
    return;
  }
  const a = app.about;
  app.latest = a.latest;
  fill(document.getElementById("nav"), menus[a.kind].map(([href, text]) => h("li", null, h("a", {href}, text))));
  fill(document.getElementById("about"), [a.title, a.network && `network ${a.network}`, a.chain_id && `chain id ${a.chain_id}`, a.kind !== "bundle" && `network version ${a.network_version}`, a.actors].filter(Boolean).join(" · "));
  if (a.kind === "bundle") document.getElementById("search").hidden = true;
  if (a.kind === "node") live();
  window.addEventListener("hashchange", () => show(true));
  await show(false);
}

function live() {
  const box = document.getElementById("live");
  box.hidden = false;
  watch((head) => {
    app.latest = Number(BigInt(head.number));
    document.getElementById("live-text").textContent = `epoch ${grouped(app.latest)}`;
    app.onBlock?.(app.latest);
  }, (on) => {
    box.classList.toggle("on", on);
    document.getElementById("live-text").textContent = on ? `epoch ${grouped(app.latest)}` : "not connected";
    if (on) app.onBlock?.(app.latest);
  });
}

start();
