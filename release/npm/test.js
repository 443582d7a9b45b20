// What a user of the package does, on the packed files: release/npm/build runs it.
"use strict";
const assert = require("node:assert");
const { start } = require("edgefvm");

(async () => {
  const node = await start({ args: ["--accounts", "3"] });
  assert.strictEqual(await node.request("eth_chainId"), "0x" + node.chainId.toString(16));
  assert.strictEqual(node.accounts.length, 3);
  const [from, to] = node.accounts.map((a) => a.address);
  const balance = () => node.request("eth_getBalance", [to, "latest"]).then(BigInt);
  const before = await balance();
  const id = await node.snapshot();
  await node.request("eth_sendTransaction", [{ from, to, value: "0x10" }]);
  assert.strictEqual(await balance(), before + 16n);
  await node.revert(id);
  assert.strictEqual(await balance(), before);
  await assert.rejects(node.revert(id), /no snapshot/);
  await assert.rejects(node.request("eth_call", [{ to: "nobody" }]), (e) => e.code === -32602);
  await node.stop();
  await assert.rejects(start({ args: ["--no-such-flag"] }), /did not start[^]*no-such-flag/);
  console.log("the npm package works");
})().catch((e) => {
  console.error(e);
  process.exit(1);
});
