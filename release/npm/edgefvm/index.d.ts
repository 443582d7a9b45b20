/** An account with money. Its key is a development key. */
export interface Account {
  address: string;
  f4: string;
  f1?: string;
  private_key?: string;
  [field: string]: unknown;
}

export interface Options {
  /** 0: any port that is free. Default: 0. */
  port?: number;
  /** More flags of `edgefvm dev`, such as `["--miners", "1"]`. */
  args?: string[];
  /** How long the start may take, in milliseconds. Default: 60,000. */
  timeout?: number;
  env?: NodeJS.ProcessEnv;
}

/** A node that runs. */
export class Node {
  readonly url: string;
  readonly webSocketUrl: string;
  readonly chainId: number;
  readonly accounts: Account[];
  /** One request of JSON-RPC. An error of the node's is thrown, with `code` and `data`. */
  request<T = unknown>(method: string, params?: unknown[]): Promise<T>;
  /** Remembers the chain as it is. */
  snapshot(): Promise<string>;
  /** Goes back to a snapshot, which is gone then. */
  revert(id: string): Promise<void>;
  /** Ends the node, and waits until it has ended. */
  stop(): Promise<void>;
}

/** Starts `edgefvm dev`. */
export function start(options?: Options): Promise<Node>;
/** The path of this platform's program. */
export function binary(): string;
