const { expect } = require("chai");
const { ethers } = require("hardhat");

describe("Token", () => {
  it("moves between accounts", async () => {
    const [owner, friend] = await ethers.getSigners();
    const token = await ethers.deployContract("Token", [1_000n]);
    await expect(token.transfer(friend, 5n)).to.changeTokenBalances(token, [owner, friend], [-5n, 5n]);
    await expect(token.connect(friend).transfer(owner, 6n))
      .to.be.revertedWithCustomError(token, "ERC20InsufficientBalance")
      .withArgs(friend.address, 5n, 6n);
    await expect(token.approve(friend, 50n)).to.emit(token, "Approval").withArgs(owner.address, friend.address, 50n);
  });
});
