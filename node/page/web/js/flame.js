// A flame graph of a message's gas: width is gas, depth is calls. A click, or Enter, makes a call the whole width; arrows walk.
import {h, fill, say} from "./dom.js";
import {milli, percent} from "./format.js";

const rowHeight = 24, deepest = 40, least = 0.0012;

export function flame(root) {
  const total = root.gas_total_milli;
  const box = h("div", {class: "flame", role: "group", "aria-label": "Flame graph of the gas: arrows walk from call to call, Enter makes one the whole width, Escape goes back"});
  const path = h("p", {class: "small soft", role: "status"});
  let top = null; // the call that is the whole width
  const kids = new Map(); // of a button: {parent, before, after, below}
  const all = {name: "all gas", gas_total_milli: total, gas_self_milli: root.gas_self_milli, calls: root.calls, whole: true};

  const label = (c) => (c.whole ? "all gas" : `${c.actor || "actor"} ${c.id === undefined ? c.to : "f0" + c.id} · ${c.name}`);
  const hue = (c) => (c.whole ? "" : "c" + ([...(c.actor || "")].reduce((n, x) => (n * 31 + x.charCodeAt(0)) >>> 0, 7) % 6));

  function draw() {
    kids.clear();
    const shown = [];
    let rows = 0, dropped = 0;
    const put = (c, left, width, depth, parent, before) => {
      if (width < least || depth >= deepest) { dropped++; return before; }
      rows = Math.max(rows, depth + 1);
      const failed = !c.whole && (c.errno || c.exit_code !== 0);
      const text = `${label(c)}: ${milli(c.gas_total_milli)} gas, ${percent(c.gas_total_milli, total)}${failed ? ", failed" : ""}`;
      const b = h("button", {type: "button", class: failed ? "bad" : hue(c), title: text, "aria-label": text, tabindex: shown.length ? "-1" : "0",
        style: {left: `${100 * left}%`, width: `${100 * width}%`, top: `${depth * rowHeight}px`}}, width > 0.03 ? label(c) : "");
      b.addEventListener("click", () => zoom(top === c ? null : c));
      kids.set(b, {parent, before, after: null, below: null, c});
      if (before) kids.get(before).after = b;
      else if (parent && !kids.get(parent).below) kids.get(parent).below = b;
      shown.push(b);
      let at = left, last = null;
      const sum = Math.max(c.gas_total_milli, 1);
      for (const x of c.calls ?? []) {
        const w = (width * Math.max(0, x.gas_total_milli)) / sum;
        last = put(x, at, w, depth + 1, b, last) ?? last;
        at += w;
      }
      return b;
    };
    put(top ?? all, 0, 1, 0, null, null);
    fill(box, shown);
    box.style.setProperty("height", `${rows * rowHeight}px`);
    path.textContent = top ? `Shown: ${label(top)}, ${milli(top.gas_total_milli)} gas. Escape, or a click on it, shows all.` : `${milli(total)} gas${dropped ? ` · ${dropped} calls are too narrow to draw` : ""}`;
    return shown[0];
  }

  function zoom(c) {
    top = c && !c.whole ? c : null;
    draw().focus();
    say(path.textContent);
  }

  box.addEventListener("keydown", (e) => {
    const k = kids.get(document.activeElement);
    if (!k) return;
    const to = {ArrowUp: k.parent, ArrowDown: k.below, ArrowLeft: k.before, ArrowRight: k.after}[e.key];
    if (e.key === "Escape") zoom(null);
    else if (!to) { if (e.key.startsWith("Arrow")) e.preventDefault(); return; } else {
      document.activeElement.tabIndex = -1;
      to.tabIndex = 0;
      to.focus();
    }
    e.preventDefault();
  });
  draw();
  return [box, path];
}
