import assert from "node:assert/strict";
import { after, afterEach, beforeEach, test } from "node:test";
import { ethers } from "ethers";
import { deployJar, friend, listen, owner, provider } from "../dev.mjs";

const day = 86_400;
let snapshot, jar, opens;

beforeEach(async () => {
  snapshot = await provider.send("evm_snapshot", []);
  opens = (await provider.getBlock("latest")).timestamp + 30 * day;
  jar = await deployJar(opens, 100n);
});
afterEach(() => provider.send("evm_revert", [snapshot]));
after(() => provider.destroy());

const reverts = (name, args) => (error) => {
  assert.equal(error.code, "CALL_EXCEPTION");
  const revert = error.revert ?? jar.interface.parseError(error.data); // ethers leaves custom errors of what is sent to us
  assert.equal(revert.name === "Error" ? error.reason : revert.name, name);
  if (args) assert.deepEqual([...revert.args], args);
  return true;
};

test("begins with what it was given", async () => {
  assert.equal(await provider.getBalance(jar), 100n);
  assert.equal(await jar.owner(), owner.address);
});

test("takes gifts", async () => {
  const receipt = await (await jar.connect(friend).give({ value: 300n })).wait();
  assert.deepEqual([...receipt.logs[0].args], [friend.address, 300n]);
  assert.equal(await jar.share(friend), 75n);
  await assert.rejects(jar.give(), reverts("nothing given"));
  assert.equal((await jar.queryFilter(jar.filters.Gift(friend), receipt.blockNumber)).length, 1);
});

test("costs what the receipt says", async () => {
  const before = await provider.getBalance(friend);
  const receipt = await (await jar.connect(friend).give({ value: 40n })).wait();
  assert.equal(before - (await provider.getBalance(friend)), 40n + receipt.fee);
});

test("opens for its owner when the time has come", async () => {
  await assert.rejects(jar.open(), reverts("TooEarly"));
  await provider.send("evm_setNextBlockTimestamp", [opens]);
  await provider.send("evm_mine", []);
  await assert.rejects(jar.connect(friend).open(), reverts("NotOwner", [friend.address]));
  await (await jar.open()).wait();
  assert.equal(await provider.getBalance(jar), 0n);
  await assert.rejects(jar.share(friend), reverts("Panic", [0x12]));
});

test("takes a gift signed by a key of one's own", async () => {
  const wallet = ethers.Wallet.createRandom().connect(provider);
  await (await owner.sendTransaction({ to: wallet, value: ethers.parseEther("1") })).wait();
  await (await jar.connect(wallet).give({ value: 7n })).wait();
  assert.equal(await jar.given(wallet), 7n);
});

test("takes a gift of an address whose key nobody has", async () => {
  const whale = "0x00000000000000000000000000000000000a11ce";
  await provider.send("anvil_setBalance", [whale, ethers.toQuantity(ethers.parseEther("10"))]);
  await provider.send("anvil_impersonateAccount", [whale]);
  await (await jar.connect(new ethers.JsonRpcSigner(provider, ethers.getAddress(whale))).give({ value: 7n })).wait();
  assert.equal(await jar.given(whale), 7n);
});

test("events are heard", async () => {
  const socket = listen();
  const heard = new Promise((resolve) => jar.connect(socket).once("Gift", (from, amount) => resolve(amount)));
  await new Promise((resolve) => setTimeout(resolve, 200)); // until the node has the subscription
  await (await jar.give({ value: 5n })).wait();
  assert.equal(await heard, 5n);
  await socket.destroy();
});
