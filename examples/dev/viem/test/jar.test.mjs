import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { BaseError, ContractFunctionRevertedError, parseEther, parseEventLogs } from "viem";
import { Jar, accounts, cheats, client, deployJar, listen, wallet } from "../dev.mjs";

const [owner, friend] = accounts;
const day = 86_400n;
let snapshot, address, opens;

beforeEach(async () => {
  snapshot = await cheats.snapshot();
  opens = (await client.getBlock()).timestamp + 30n * day;
  address = await deployJar(opens, 100n);
});
afterEach(() => cheats.revert({ id: snapshot }));

const jar = (functionName, more = {}) => ({ address, abi: Jar.abi, functionName, ...more });
const write = async (functionName, more) => {
  const { request } = await client.simulateContract(jar(functionName, { account: owner, ...more }));
  return client.waitForTransactionReceipt({ hash: await wallet.writeContract(request) });
};
const revertsWith = (name, args) => (error) => {
  const cause = error instanceof BaseError && error.walk((e) => e instanceof ContractFunctionRevertedError);
  assert.ok(cause, `not a revert: ${error}`);
  assert.equal(cause.data?.errorName === "Error" ? cause.reason : cause.data?.errorName, name);
  if (args) assert.deepEqual(cause.data.args, args);
  return true;
};

test("begins with what it was given", async () => {
  assert.equal(await client.getBalance({ address }), 100n);
  assert.equal(await client.readContract(jar("owner")), owner.address);
});

test("takes gifts", async () => {
  const receipt = await write("give", { account: friend, value: 300n });
  const [gift] = parseEventLogs({ abi: Jar.abi, logs: receipt.logs, eventName: "Gift" });
  assert.deepEqual(gift.args, { from: friend.address, amount: 300n });
  assert.equal(await client.readContract(jar("share", { args: [friend.address] })), 75n);
  await assert.rejects(write("give"), revertsWith("nothing given"));
});

test("costs what the receipt says", async () => {
  const before = await client.getBalance({ address: friend.address });
  const { gasUsed, effectiveGasPrice } = await write("give", { account: friend, value: 40n });
  const after = await client.getBalance({ address: friend.address });
  assert.equal(before - after, 40n + gasUsed * effectiveGasPrice);
});

test("opens for its owner when the time has come", async () => {
  await assert.rejects(write("open"), revertsWith("TooEarly"));
  await cheats.setNextBlockTimestamp({ timestamp: opens });
  await cheats.mine({ blocks: 1 });
  await assert.rejects(write("open", { account: friend }), revertsWith("NotOwner", [friend.address]));
  assert.equal((await write("open")).status, "success");
  assert.equal(await client.getBalance({ address }), 0n);
});

test("takes a gift of an address whose key nobody has", async () => {
  const account = "0x00000000000000000000000000000000000a11ce";
  await cheats.setBalance({ address: account, value: parseEther("10") });
  await cheats.impersonateAccount({ address: account });
  await write("give", { account, value: 7n });
  assert.equal(await client.readContract(jar("given", { args: [account] })), 7n);
});

test("many reads in one call", async () => {
  const contracts = [jar("owner"), jar("opens"), jar("given", { args: [owner.address] })];
  const results = await client.multicall({ contracts, allowFailure: false });
  assert.deepEqual(results, [owner.address, opens, 0n]);
});

test("events are heard", async () => {
  const socket = listen();
  const heard = new Promise((resolve, reject) => {
    socket.watchContractEvent({ ...jar(), eventName: "Gift", onLogs: ([log]) => resolve(log.args.amount), onError: reject });
  });
  await new Promise((resolve) => setTimeout(resolve, 200)); // until the node has the subscription
  await write("give", { value: 5n });
  assert.equal(await heard, 5n);
  (await socket.transport.getRpcClient()).close();
});
