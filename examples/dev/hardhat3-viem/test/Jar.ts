import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { network } from "hardhat";
import { getAddress, parseEther } from "viem";
import JarModule from "../ignition/modules/Jar.js";

const { viem, networkHelpers, ignition } = await network.getOrCreate();

describe("Jar", () => {
  const day = 86_400n;

  async function newJar() {
    const [owner, friend] = await viem.getWalletClients();
    const opens = BigInt(await networkHelpers.time.latest()) + 30n * day;
    const jar = await viem.deployContract("Jar", [opens], { value: 100n });
    const friends = await viem.getContractAt("Jar", jar.address, { client: { wallet: friend } });
    return { owner, friend, opens, jar, friends };
  }

  it("begins with what it was given", async () => {
    const { owner, opens, jar } = await networkHelpers.loadFixture(newJar);
    assert.equal(await jar.read.opens(), opens);
    assert.equal(await jar.read.owner(), getAddress(owner.account.address));
  });

  it("refuses a time that is over", async () => {
    await viem.assertions.revertWith(viem.deployContract("Jar", [1n]), "opens in the past");
  });

  it("takes gifts", async () => {
    const { friend, jar, friends } = await networkHelpers.loadFixture(newJar);
    const from = getAddress(friend.account.address);
    await viem.assertions.emitWithArgs(friends.write.give({ value: 300n }), jar, "Gift", [from, 300n]);
    assert.equal(await jar.read.share([from]), 75n);
    await viem.assertions.revertWith(friends.write.give(), "nothing given");
  });

  it("moves balances to the last attoFIL", async () => {
    const { friend, jar, friends } = await networkHelpers.loadFixture(newJar);
    await viem.assertions.balancesHaveChanged(friends.write.give({ value: 40n }), [
      { address: friend.account.address, amount: -40n },
      { address: jar.address, amount: 40n },
    ]);
  });

  it("opens for its owner when the time has come", async () => {
    const { friend, opens, jar, friends } = await networkHelpers.loadFixture(newJar);
    await viem.assertions.revertWithCustomError(jar.write.open(), jar, "TooEarly");
    await networkHelpers.time.increaseTo(opens);
    await viem.assertions.revertWithCustomErrorWithArgs(friends.write.open(), jar, "NotOwner", [
      getAddress(friend.account.address),
    ]);
    await viem.assertions.emitWithArgs(jar.write.open(), jar, "Opened", [100n]);
  });

  it("takes a gift of an address whose key nobody has", async () => {
    const { jar } = await networkHelpers.loadFixture(newJar);
    const whale = "0x00000000000000000000000000000000000a11ce";
    await networkHelpers.setBalance(whale, parseEther("10"));
    await networkHelpers.impersonateAccount(whale);
    await jar.write.give({ value: parseEther("1"), account: whale });
    await networkHelpers.stopImpersonatingAccount(whale);
    assert.equal(await jar.read.given([whale]), parseEther("1"));
  });

  it("is deployed by ignition", async () => {
    const { jar } = await ignition.deploy(JarModule);
    const client = await viem.getPublicClient();
    assert.equal(await client.getBalance({ address: jar.address }), 1_500n);
  });

  it("mines blocks", async () => {
    const client = await viem.getPublicClient();
    const before = await client.getBlockNumber();
    await networkHelpers.mine(5);
    assert.equal(await client.getBlockNumber(), before + 5n);
  });
});
