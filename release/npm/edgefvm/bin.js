#!/usr/bin/env node
// Runs the edgefvm command of this platform, with its arguments, streams, signals and exit code.
"use strict";
const { spawn } = require("node:child_process");
const { binary } = require("./index.js");

let child;
try {
  child = spawn(binary(), process.argv.slice(2), { stdio: "inherit" });
} catch (e) {
  console.error("edgefvm: " + e.message);
  process.exit(1);
}
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
child.on("error", (e) => {
  console.error("edgefvm: " + e.message);
  process.exit(1);
});
child.on("exit", (code, signal) => process.exit(signal ? 128 + (require("node:os").constants.signals[signal] ?? 0) : code));
