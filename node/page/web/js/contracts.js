// ABIs: dropped by the reader, or given where the page was started.
import {h, fill, bare, card, table, problem, say} from "./dom.js";
import {rpc} from "./rpc.js";
import {addABI, abiFiles, abiParam, forget} from "./abi.js";

export async function contracts() {
  const list = h("div"), told = h("div");
  const draw = async () => {
    const files = abiFiles();
    const entries = await rpc("fvm_abi", abiParam());
    fill(list,
      files.length ? bare("Your ABIs", table("ABIs", [
        {label: "Name", cell: (f) => f.name}, {label: "Entries", class: "num", cell: (f) => f.entries.length},
        {label: "Remove", class: "num", cell: (f) => h("button", {type: "button", "aria-label": `Remove ${f.name}`, onclick: () => { forget(f.name); draw(); }}, "Remove")},
      ], files)) : null,
      entries.length ? bare("What is known", table("Functions, events and errors", [
        {label: "Kind", class: "short", cell: (e) => e.kind}, {label: "Signature", cell: (e) => h("span", {class: "hash"}, e.signature)}, {label: "Selector", class: "short", cell: (e) => h("span", {class: "mono"}, e.selector ?? "")},
      ], entries)) : null);
  };
  const take = async (files) => {
    fill(told);
    for (const f of files) {
      if (!f.name.endsWith(".json")) continue;
      try { say(`${addABI(f.name, await f.text())} entries of ${f.name}`); } catch (err) { told.append(problem(err)); }
    }
    draw();
  };
  const input = h("input", {type: "file", id: "abi-file", accept: ".json,application/json", multiple: true, onchange: (e) => take(e.target.files)});
  const drop = h("div", {class: "drop"}, h("p", null, h("label", {for: "abi-file"}, "Drop ABIs or artefacts of Hardhat and Foundry here, or choose files.")), input, h("p", {class: "soft small"}, "They stay in this browser, and go along with what it asks this server."));
  drop.addEventListener("dragover", (e) => { e.preventDefault(); drop.classList.add("over"); });
  drop.addEventListener("dragleave", () => drop.classList.remove("over"));
  drop.addEventListener("drop", (e) => { e.preventDefault(); drop.classList.remove("over"); take(e.dataTransfer.files); });
  await draw();
  return {title: "ABIs", menu: "#/contracts", body: [card("Contracts by ABI", [drop, told]), list]};
}
