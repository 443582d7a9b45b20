package genesis

import (
	"errors"
	"fmt"

	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/big"
	netver "github.com/filecoin-project/go-state-types/network"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/bundle"
)

// Options say what network begins. The zero value has the defaults.
type Options struct {
	// NetworkVersion is 18 to 29. Default: 28, the newest whose actors are its own.
	NetworkVersion netver.Version
	// Flavour of the actors, as bundles are named by: "mainnet", "testing", "devnet" ... Default: "testing-fake-proofs", whose
	// miners' proofs are words.
	Flavour string
	// Name that the init actor keeps. Default: "edgefvm".
	Name string
	// ChainID by EIP-155. Default: 31415926. It is not in the state.
	ChainID uint64
	// Timestamp of epoch 0, in seconds since 1970. It is not in the state.
	Timestamp uint64
	// Mnemonic that all keys come from. Default: TestMnemonic.
	Mnemonic string
	// Accounts is how many of its keys have accounts, at most 1000. Default: 10; negative: none.
	Accounts int
	// Balance of each of the two accounts of a key, in attoFIL. Default: 10,000 FIL.
	Balance abi.TokenAmount
	// Miners with power, at most 100. Default: none.
	Miners int
	// Sectors of each miner, without deals, at most 64. Default: 2.
	Sectors int
	// SectorSize in bytes. Default: the smallest that the flavour's actors take.
	SectorSize abi.SectorSize
	// MinerBalance is what each miner begins with, in attoFIL, pledge and deposits included. Default: 10,000 FIL.
	MinerBalance abi.TokenAmount

	// Bundles has the actors. Default: bundle.Open's.
	Bundles *bundle.Set
	// Cache is a folder that keeps what the messages of a genesis did, for the next start with the same options. It holds no keys. It
	// must be the user's own, or it is not used. Default: none.
	Cache string
	// Engine runs their constructors. Default: one wazero engine shared by the process.
	Engine *fvm.Engine
}

// ErrOptions is wrapped by errors about Options.
var ErrOptions = errors.New("options of the genesis")

// The total of all balances, and what the reward actor and the reserve have of it at the genesis (specification, "Token
// allocation"), in FIL.
const (
	totalFIL   = 2_000_000_000
	rewardFIL  = 1_100_000_000
	reserveFIL = 300_000_000
)

// sizes are the smallest sectors that a flavour's actors take, where it is not 32 GiB.
var sizes = map[string]abi.SectorSize{
	"testing": 2 << 10, "testing-fake-proofs": 2 << 10, "devnet": 2 << 10, "butterflynet": 512 << 20, "caterpillarnet": 512 << 20,
}

// mostAccounts is how many keys a development network has accounts of at most: each takes half a millisecond to derive.
const mostAccounts = 1000

func (o *Options) defaults() error {
	if o.NetworkVersion == 0 {
		o.NetworkVersion = 28
	}
	if o.NetworkVersion < 18 || o.NetworkVersion > 29 {
		return fmt.Errorf("%w: network version %d: development networks are of 18 to 29", ErrOptions, o.NetworkVersion)
	}
	if o.Flavour == "" {
		o.Flavour = "testing-fake-proofs"
	}
	if o.Name == "" {
		o.Name = "edgefvm"
	}
	if o.ChainID == 0 {
		o.ChainID = 31415926
	}
	if o.Mnemonic == "" {
		o.Mnemonic = TestMnemonic
	}
	if o.Balance.Int == nil {
		o.Balance = fil(10_000)
	}
	if o.MinerBalance.Int == nil {
		o.MinerBalance = fil(10_000)
	}
	o.counts()
	for _, c := range []struct {
		what    string
		n, most int
	}{{"accounts", o.Accounts, mostAccounts}, {"miners", o.Miners, 100}, {"sectors of each miner", o.Sectors, 64}, {"bytes of the name", len(o.Name), 100}} {
		if c.n > c.most {
			return fmt.Errorf("%w: %d %s, the most is %d", ErrOptions, c.n, c.what, c.most)
		}
	}
	if o.Balance.Sign() < 0 || o.MinerBalance.Sign() < 0 {
		return fmt.Errorf("%w: a balance below 0", ErrOptions)
	}
	if left := o.left(); left.Sign() < 0 {
		return fmt.Errorf("%w: the accounts and miners have %s attoFIL more than there is", ErrOptions, left.Neg())
	}
	_, err := o.sealProof()
	return err
}

func (o *Options) counts() {
	if o.Accounts == 0 {
		o.Accounts = 10
	}
	o.Accounts, o.Miners = max(o.Accounts, 0), max(o.Miners, 0)
	if o.Sectors <= 0 {
		o.Sectors = 2
	}
	if o.SectorSize == 0 {
		o.SectorSize = 32 << 30
		if size, ok := sizes[o.Flavour]; ok {
			o.SectorSize = size
		}
	}
}

// left is what the faucet gets.
func (o *Options) left() abi.TokenAmount {
	left := fil(totalFIL - rewardFIL - reserveFIL - rootKeyFIL)
	left = big.Sub(left, big.Mul(o.Balance, big.NewInt(2*int64(o.Accounts))))
	return big.Sub(left, big.Mul(big.Add(o.MinerBalance, fil(workerFIL)), big.NewInt(int64(o.Miners))))
}

// What the root key and each miner's worker have, for gas.
const (
	rootKeyFIL = 1_000
	workerFIL  = 1_000
)

func (o *Options) sealProof() (abi.RegisteredSealProof, error) {
	switch o.SectorSize {
	case 2 << 10:
		return abi.RegisteredSealProof_StackedDrg2KiBV1_1, nil
	case 8 << 20:
		return abi.RegisteredSealProof_StackedDrg8MiBV1_1, nil
	case 512 << 20:
		return abi.RegisteredSealProof_StackedDrg512MiBV1_1, nil
	case 32 << 30:
		return abi.RegisteredSealProof_StackedDrg32GiBV1_1, nil
	case 64 << 30:
		return abi.RegisteredSealProof_StackedDrg64GiBV1_1, nil
	}
	return 0, fmt.Errorf("%w: no sector has %d bytes: take 2 KiB, 8 MiB, 512 MiB, 32 GiB or 64 GiB", ErrOptions, o.SectorSize)
}
