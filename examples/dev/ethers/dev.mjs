// The development chain and its accounts.
import { readFileSync } from "node:fs";
import { ethers } from "ethers";

// A receipt is there when the call that sent the transaction returns: ethers need not wait four seconds before it asks again.
export const provider = new ethers.JsonRpcProvider("http://127.0.0.1:8545", undefined, { pollingInterval: 100, cacheTimeout: -1 });
export const listen = () => new ethers.WebSocketProvider("ws://127.0.0.1:8545");

// The node signs for its own accounts. With keys of one's own: ethers.HDNodeWallet.fromPhrase(words).connect(provider).
export const [owner, friend] = await Promise.all([0, 1].map((i) => provider.getSigner(i)));

export const Jar = JSON.parse(readFileSync(new URL("build/Jar.json", import.meta.url)));

export async function deployJar(opens, value = 0n) {
  const jar = await new ethers.ContractFactory(Jar.abi, Jar.bytecode, owner).deploy(opens, { value });
  return jar.waitForDeployment();
}
