package devnode

import (
	"net"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/filecoin-project/go-state-types/network"
	"github.com/spf13/cobra"

	"github.com/edgefvm/fvm/cmd/edgefvm/internal/kit"
	"github.com/edgefvm/fvm/node/dev"
	"github.com/edgefvm/fvm/node/dev/genesis"
	"github.com/edgefvm/fvm/node/textform"
)

const shortestBlock = 10 * time.Millisecond

// flags are those of dev.
type flags struct {
	set        kit.Setting
	host       string
	port       int
	allowHosts []string
	origins    []string
	silent     bool
	jsonLog    bool
	chainID    uint64
	nv         uint
	flavour    string
	accounts   int
	balance    string
	mnemonic   string
	blockTime  string
	every      time.Duration // blockTime as a time
	epochTime  uint64
	timeJumps  string
	noMining   bool
	state      string
	miners     int
	strict     bool
	lenient    bool
	timestamp  int64
}

func newDev() *cobra.Command {
	var x flags
	cmd := &cobra.Command{
		Use:   "dev",
		Short: "Run a local Filecoin for Hardhat, Foundry, viem, ethers and web3.py",
		Long: `Runs a development network in this process: the networks' own actors on the real machine,
with a genesis of its own. Ethereum's JSON-RPC and Filecoin's are served at one port, over
HTTP and WebSocket. Tools for Anvil or Hardhat's node work with it as they are:

  Hardhat   networks: { dev: { url: "http://127.0.0.1:8545" } }
  Foundry   forge create … --rpc-url http://127.0.0.1:8545 --broadcast
            forge script … --broadcast --skip-simulation (see --lenient-gas)
  Lotus     FULLNODE_API_INFO=/ip4/127.0.0.1/tcp/8545/http

The accounts are those of the mnemonic 'test test … junk', with 10,000 FIL each: everybody has
their keys. A transaction is executed at once, in a block of its own. Gas is Filecoin's: a
transfer takes 1.8 million, an ERC-20 some 30 million to deploy.

docs/dev.md of this repository has the first hour with each tool, all methods that change the
chain (evm_, hardhat_, anvil_, fvm_), and what differs from Ethereum and from mainnet.`,
		Example: `  edgefvm dev
  edgefvm dev --port 0 --silent --accounts 3 --balance 1000000
  edgefvm dev --block-time 4s --miners 1
  edgefvm dev --state ./devnet --json-log`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return x.run(cmd) },
	}
	f := cmd.Flags()
	f.StringVar(&x.host, "host", "127.0.0.1", "`address` to listen on; 0.0.0.0 lets other machines in, who then have the keys' money")
	f.IntVar(&x.port, "port", 8545, "`port` for HTTP and WebSocket, 0: any that is free")
	f.StringSliceVar(&x.allowHosts, "allow-host", nil, "further `name` by which the node may be addressed, such as that of a container; * for any")
	f.StringSliceVar(&x.origins, "allow-origin", nil, "further `origin` of web pages that may use the node, such as https://remix.ethereum.org; * for any")
	f.IntVar(&x.accounts, "accounts", 10, "`number` of accounts with money")
	f.StringVar(&x.balance, "balance", "10000", "`amount` that each account begins with, in FIL")
	f.StringVar(&x.mnemonic, "mnemonic", genesis.TestMnemonic, "`words` that the keys come from")
	f.Uint64Var(&x.chainID, "chain-id", 31415926, "chain `id` (EIP-155)")
	f.UintVar(&x.nv, "nv", 28, "network `version`, 18 to 29")
	f.StringVar(&x.flavour, "flavour", "testing-fake-proofs", "`kind` of the actors' bundle: testing-fake-proofs takes words for proofs; mainnet, calibrationnet …")
	f.IntVar(&x.miners, "miners", 0, "`number` of storage providers with power")
	f.StringVar(&x.blockTime, "block-time", "", "make a block every `time`, such as 2s or 2, instead of one a transaction")
	f.BoolVar(&x.noMining, "no-mining", false, "make blocks on demand only (evm_mine)")
	f.Uint64Var(&x.epochTime, "epoch-time", 30, "`seconds` of an epoch, by which moved time becomes epochs")
	f.StringVar(&x.timeJumps, "time-jumps", "auto", "what a jump of time by more than a day moves: the `clock` alone; idle: epochs too, cron where due; cron: in each; auto: idle with miners, else clock")
	f.Int64Var(&x.timestamp, "timestamp", 0, "`seconds` since 1970 at which the chain begins (default: now)")
	f.StringVar(&x.state, "state", "", "`folder` that keeps the chain, to go on from (default: memory)")
	f.BoolVar(&x.strict, "strict", false, "answer as Lotus does where it and Ethereum's tools part")
	f.BoolVar(&x.lenient, "lenient-gas", false, "raise gas limits that are too low, so that plain forge script --broadcast works")
	f.BoolVar(&x.silent, "silent", false, "print neither accounts nor requests")
	f.BoolVar(&x.jsonLog, "json-log", false, "print in JSON, one object a line")
	x.set.MachineFlags(cmd, "")
	return cmd
}

// check finds what is wrong with the flags before anything is begun.
func (x *flags) check() error {
	if x.blockTime != "" {
		every, err := time.ParseDuration(x.blockTime)
		if err != nil {
			every, err = time.ParseDuration(x.blockTime + "s")
		}
		if err != nil || every < shortestBlock {
			return kit.Usagef("--block-time %s: want a time of %s or more, such as 2s", x.blockTime, shortestBlock)
		}
		x.every = every
	}
	if _, err := dev.ParseJumps(x.timeJumps); err != nil {
		return kit.Usagef("--time-jumps: %w", err)
	}
	switch {
	case x.port < 0 || x.port > 65535:
		return kit.Usagef("--port %d is no port", x.port)
	case x.accounts < 0:
		return kit.Usagef("--accounts %d: want 0 or more", x.accounts)
	case x.miners < 0:
		return kit.Usagef("--miners %d: want 0 or more", x.miners)
	case x.every > 0 && x.noMining:
		return kit.Usagef("--block-time and --no-mining exclude each other")
	case x.epochTime == 0:
		return kit.Usagef("--epoch-time 0: want 1 or more")
	case x.timestamp < 0:
		return kit.Usagef("--timestamp %d: want 0 or more", x.timestamp)
	case x.chainID == 0 || x.chainID > 1<<53-1:
		return kit.Usagef("--chain-id %d: want 1 to 2^53-1", x.chainID)
	case x.silent && x.jsonLog:
		return kit.Usagef("--silent and --json-log exclude each other")
	}
	return nil
}

// genesis are the options of the chain's beginning.
func (x *flags) genesis() (genesis.Options, error) {
	balance, err := textform.Amount(inFIL(x.balance))
	if err != nil {
		return genesis.Options{}, kit.Usagef("--balance: %w", err)
	}
	o := genesis.Options{
		NetworkVersion: network.Version(x.nv), Flavour: x.flavour, ChainID: x.chainID, Mnemonic: x.mnemonic, Accounts: x.accounts, Balance: balance, Miners: x.miners,
		Timestamp: uint64(x.timestamp),
	}
	if dir, err := kit.CacheFolder(x.set.CacheDir); err == nil && !x.set.NoCache {
		o.Cache = filepath.Join(dir, "dev")
	}
	if x.accounts == 0 {
		o.Accounts = -1 // to genesis 0 is the default
	}
	return o, nil
}

// inFIL is an amount with the unit that is meant where none is written.
func inFIL(s string) string {
	if strings.Trim(s, "0123456789.") == "" {
		return s + "fil"
	}
	return s
}

func (x *flags) address() string { return net.JoinHostPort(x.host, strconv.Itoa(x.port)) }
