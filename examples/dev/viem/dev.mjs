// The development chain, its accounts, and clients of it.
import { readFileSync } from "node:fs";
import { createPublicClient, createTestClient, createWalletClient, defineChain, http, webSocket } from "viem";
import { mnemonicToAccount } from "viem/accounts";

export const chain = defineChain({
  id: 31415926,
  name: "edgefvm dev",
  nativeCurrency: { name: "testnet filecoin", symbol: "tFIL", decimals: 18 },
  rpcUrls: { default: { http: ["http://127.0.0.1:8545"], webSocket: ["ws://127.0.0.1:8545"] } },
  contracts: { multicall3: { address: "0xcA11bde05977b3631167028862bE2a173976CA11" } },
});

const words = "test test test test test test test test test test test junk";
export const accounts = [0, 1, 2].map((addressIndex) => mnemonicToAccount(words, { addressIndex }));

// A receipt is there when the call that sent the transaction returns: viem need not wait four seconds before it asks again.
export const client = createPublicClient({ chain, transport: http(), pollingInterval: 100, cacheTime: 0 });
export const wallet = createWalletClient({ chain, transport: http(), account: accounts[0] });
export const cheats = createTestClient({ chain, transport: http(), mode: "anvil" });
export const listen = () => createPublicClient({ chain, transport: webSocket() });

export const Jar = JSON.parse(readFileSync(new URL("build/Jar.json", import.meta.url)));

export async function deployJar(opens, value = 0n) {
  const hash = await wallet.deployContract({ ...Jar, args: [opens], value });
  const { contractAddress } = await client.waitForTransactionReceipt({ hash });
  return contractAddress;
}
