const { expect } = require("chai");
const { ethers, upgrades } = require("hardhat");

describe("Box", () => {
  it("keeps its value over an upgrade", async () => {
    const box = await upgrades.deployProxy(await ethers.getContractFactory("Box"), [21n]);
    const before = await upgrades.erc1967.getImplementationAddress(box.target);
    const two = await upgrades.upgradeProxy(box, await ethers.getContractFactory("BoxTwo"));
    await (await two.double()).wait();
    expect(await two.value()).to.equal(42n);
    expect(await upgrades.erc1967.getImplementationAddress(box.target)).to.not.equal(before);
  });
});
