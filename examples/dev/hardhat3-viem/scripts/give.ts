import { network } from "hardhat";
import { formatEther, parseEther } from "viem";

const { viem, networkHelpers } = await network.getOrCreate();
const client = await viem.getPublicClient();
const opens = BigInt((await networkHelpers.time.latest()) + 3600);

const jar = await viem.deployContract("Jar", [opens]);
console.log("jar", jar.address);
const hash = await jar.write.give({ value: parseEther("2.5") });
const receipt = await client.waitForTransactionReceipt({ hash });
console.log("block", receipt.blockNumber, "gas", receipt.gasUsed);
console.log("in the jar", formatEther(await client.getBalance({ address: jar.address })), "FIL");
