// A local Filecoin for tests: starts `edgefvm dev`, speaks JSON-RPC to it, and stops it.
"use strict";
const { spawn } = require("node:child_process");
const fs = require("node:fs");
const path = require("node:path");
const readline = require("node:readline");

/** The path of this platform's program. EDGEFVM_BINARY names another. */
function binary() {
  if (process.env.EDGEFVM_BINARY) return process.env.EDGEFVM_BINARY;
  const name = `@edgefvm/${process.platform}-${process.arch}`;
  let folder;
  try {
    folder = path.dirname(require.resolve(`${name}/package.json`));
  } catch {
    throw new Error(`there is no program for ${process.platform} on ${process.arch}: the package ${name} is not installed; install without --omit=optional, or name a program in EDGEFVM_BINARY`);
  }
  const file = path.join(folder, "bin", process.platform === "win32" ? "edgefvm.exe" : "edgefvm");
  if (!fs.existsSync(file)) throw new Error(`${name} has no ${file}`);
  return file;
}

/** A node that runs. */
class Node {
  #process;
  #ended;
  #id = 0;
  constructor(child, started, ended) {
    this.#process = child;
    this.#ended = ended;
    this.url = started.url;
    this.webSocketUrl = started.websocket;
    this.chainId = started.chain_id;
    this.accounts = started.accounts;
  }

  /** One request. An error of the node's is thrown, with its `code` and `data`. */
  async request(method, params = []) {
    const response = await fetch(this.url, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ jsonrpc: "2.0", id: ++this.#id, method, params }),
    });
    const answer = await response.json();
    if (answer.error) throw Object.assign(new Error(answer.error.message), { code: answer.error.code, data: answer.error.data });
    return answer.result;
  }

  /** Remembers the chain as it is. */
  snapshot() {
    return this.request("evm_snapshot");
  }

  /** Goes back to a snapshot, which is gone then. */
  async revert(id) {
    if (!(await this.request("evm_revert", [id]))) throw new Error(`there is no snapshot ${id}`);
  }

  /** Ends the node, and waits until it has ended. */
  async stop() {
    this.#process.kill("SIGTERM");
    const late = setTimeout(() => this.#process.kill("SIGKILL"), 10_000);
    await this.#ended;
    clearTimeout(late);
  }

  async [Symbol.asyncDispose ?? Symbol.for("Symbol.asyncDispose")]() {
    await this.stop();
  }
}

/** Starts a node at a port that is free, unless options say otherwise. */
async function start({ port = 0, args = [], timeout = 60_000, env = process.env } = {}) {
  const child = spawn(binary(), ["dev", "--port", String(port), "--json-log", ...args], { stdio: ["ignore", "pipe", "pipe"], env });
  let errors = "";
  child.stderr.on("data", (data) => (errors = (errors + data).slice(-4000)));
  const ended = new Promise((resolve) => {
    child.on("error", (e) => resolve(e.message));
    child.on("exit", (code, signal) => resolve(`exit code ${code ?? signal}`));
  });
  const kill = () => child.kill("SIGKILL");
  process.once("exit", kill);
  ended.then(() => process.removeListener("exit", kill));
  let timer;
  const late = new Promise((resolve) => (timer = setTimeout(() => resolve(`no answer within ${timeout} ms`), timeout)));
  const started = new Promise((resolve) => {
    readline.createInterface({ input: child.stdout }).on("line", (line) => {
      if (!line.startsWith("{")) return;
      const event = JSON.parse(line);
      if (event.event === "started") resolve(event);
    });
  });
  const first = await Promise.race([started, ended, late]);
  clearTimeout(timer);
  if (typeof first === "string") {
    child.kill("SIGKILL");
    throw new Error(`edgefvm dev did not start: ${first}\n${errors}`.trim());
  }
  return new Node(child, first, ended);
}

module.exports = { start, binary, Node };
