import { ethers } from "ethers";
import { deployJar, provider } from "../dev.mjs";

const { timestamp } = await provider.getBlock("latest");
const jar = await deployJar(timestamp + 3600);
console.log("jar", jar.target);
const receipt = await (await jar.give({ value: ethers.parseEther("2.5") })).wait();
console.log("block", receipt.blockNumber, "gas", receipt.gasUsed);
console.log("in the jar", ethers.formatEther(await provider.getBalance(jar)), "FIL");
provider.destroy();
