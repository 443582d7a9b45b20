const { ethers } = require("hardhat");
const { time } = require("@nomicfoundation/hardhat-network-helpers");

async function main() {
  const jar = await ethers.deployContract("Jar", [(await time.latest()) + 3600]);
  await jar.waitForDeployment();
  console.log("jar", jar.target);
  const receipt = await (await jar.give({ value: ethers.parseEther("2.5") })).wait();
  console.log("block", receipt.blockNumber, "gas", receipt.gasUsed);
  console.log("in the jar", ethers.formatEther(await ethers.provider.getBalance(jar)), "FIL");
}

main().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
