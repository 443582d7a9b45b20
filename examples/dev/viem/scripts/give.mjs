import { formatEther, parseEther } from "viem";
import { Jar, client, deployJar, wallet } from "../dev.mjs";

const { timestamp } = await client.getBlock();
const address = await deployJar(timestamp + 3600n);
console.log("jar", address);
const hash = await wallet.writeContract({ ...Jar, address, functionName: "give", value: parseEther("2.5") });
const receipt = await client.waitForTransactionReceipt({ hash });
console.log("block", receipt.blockNumber, "gas", receipt.gasUsed);
console.log("in the jar", formatEther(await client.getBalance({ address })), "FIL");
