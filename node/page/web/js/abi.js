// ABIs that the reader dropped: kept in the browser, sent along with questions.

const key = "edgefvm.abis";
let files = load();

function load() {
  try { return JSON.parse(localStorage.getItem(key)) ?? {}; } catch { return {}; }
}

function keep() {
  try { localStorage.setItem(key, JSON.stringify(files)); } catch { /* kept for this visit only */ }
}

export const abiFiles = () => Object.entries(files).map(([name, entries]) => ({name, entries}));

// abiParam is all of them as one list, or null.
export function abiParam() {
  const all = Object.values(files).flat();
  return all.length ? all : null;
}

export function forget(name) { delete files[name]; keep(); }

// addABI takes a file's text: a list, or an artefact of Hardhat, Foundry or Truffle.
export function addABI(name, text) {
  let v;
  try { v = JSON.parse(text); } catch { throw new Error(`${name} is no JSON`); }
  const list = Array.isArray(v) ? v : v?.abi;
  if (!Array.isArray(list) || !list.every((e) => e && typeof e === "object" && typeof e.type === "string")) throw new Error(`${name} has no ABI in it`);
  files[v.contractName ?? name.replace(/\.json$/, "")] = list;
  keep();
  return list.length;
}
