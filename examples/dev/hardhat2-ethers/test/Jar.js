const { expect } = require("chai");
const { ethers, ignition } = require("hardhat");
const { anyValue } = require("@nomicfoundation/hardhat-chai-matchers/withArgs");
const { impersonateAccount, loadFixture, mine, setBalance, time } = require("@nomicfoundation/hardhat-network-helpers");
const JarModule = require("../ignition/modules/Jar");

describe("Jar", () => {
  async function newJar() {
    const [owner, friend] = await ethers.getSigners();
    const opens = (await time.latest()) + 30 * 86_400;
    const jar = await ethers.deployContract("Jar", [opens], { value: 100n });
    return { owner, friend, opens, jar };
  }

  it("begins with what it was given", async () => {
    const { owner, opens, jar } = await loadFixture(newJar);
    expect(await jar.opens()).to.equal(opens);
    expect(await jar.owner()).to.equal(owner.address);
  });

  it("refuses a time that is over", async () => {
    await expect(ethers.deployContract("Jar", [1])).to.be.revertedWith("opens in the past");
  });

  it("takes gifts", async () => {
    const { friend, jar } = await loadFixture(newJar);
    await expect(jar.connect(friend).give({ value: 300n })).to.emit(jar, "Gift").withArgs(friend.address, 300n);
    expect(await jar.share(friend)).to.equal(75n);
    await expect(jar.give()).to.be.revertedWith("nothing given");
  });

  it("moves balances to the last attoFIL", async () => {
    const { friend, jar } = await loadFixture(newJar);
    await expect(jar.connect(friend).give({ value: 40n })).to.changeEtherBalances([friend, jar], [-40n, 40n]);
  });

  it("opens for its owner when the time has come", async () => {
    const { owner, friend, opens, jar } = await loadFixture(newJar);
    await expect(jar.open()).to.be.revertedWithCustomError(jar, "TooEarly").withArgs(anyValue, opens);
    await time.increaseTo(opens);
    await expect(jar.connect(friend).open()).to.be.revertedWithCustomError(jar, "NotOwner").withArgs(friend.address);
    await expect(jar.open()).to.changeEtherBalances([jar, owner], [-100n, 100n]);
    await expect(jar.share(friend)).to.be.revertedWithPanic(0x12);
  });

  it("takes a gift of an address whose key nobody has", async () => {
    const { jar } = await loadFixture(newJar);
    const whale = "0x00000000000000000000000000000000000a11ce";
    await setBalance(whale, ethers.parseEther("10"));
    await impersonateAccount(whale);
    await jar.connect(await ethers.getSigner(whale)).give({ value: 7n });
    expect(await jar.given(whale)).to.equal(7n);
  });

  it("is deployed by ignition", async () => {
    const { jar } = await ignition.deploy(JarModule);
    expect(await ethers.provider.getBalance(jar)).to.equal(1_500n);
  });

  it("mines blocks", async () => {
    const before = await time.latestBlock();
    await mine(5);
    expect(await time.latestBlock()).to.equal(before + 5);
  });
});
