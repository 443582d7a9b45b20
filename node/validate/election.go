package validate

import (
	"context"
	"encoding/binary"
	"errors"
	"math/big"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/crypto"

	"github.com/edgefvm/fvm/internal/ipld/addr"
	vmcrypto "github.com/edgefvm/fvm/internal/vm/crypto"
	"github.com/edgefvm/fvm/node/chain"
)

// draw is the randomness that is drawn from an entry of the beacon for a purpose (Filecoin specification, "Randomness").
func draw(entry []byte, tag crypto.DomainSeparationTag, epoch abi.ChainEpoch, entropy []byte) []byte {
	base := vmcrypto.Blake2b256(entry)
	data := binary.BigEndian.AppendUint64(nil, uint64(tag))
	data = append(data, base[:]...)
	data = binary.BigEndian.AppendUint64(data, uint64(epoch))
	sum := vmcrypto.Blake2b256(append(data, entropy...))
	return sum[:]
}

// miner makes the checks that need to know the miner.
func (j *judge) miner(ctx context.Context) {
	id, _ := addr.ID(j.h.Miner)
	miner := abi.ActorID(id)
	j.say(Miner, j.claimed(ctx, miner))
	j.say(Eligibility, j.eligible(ctx, miner))
	worker, err := j.worker(ctx, miner)
	j.say(Lookback, err)
	if err != nil {
		for _, c := range []Check{Election, WinCount, Ticket, BlockSig} {
			if errors.Is(err, errAbsent) {
				j.say(c, err)
			}
		}
		return
	}
	j.say(Election, j.vrf(worker, crypto.DomainSeparationTag_ElectionProofProduction, j.epoch, nil, j.h.ElectionProof.VRFProof))
	j.say(WinCount, j.winCount(ctx, miner))
	var before []byte
	if j.epoch > j.rules.Network.Constants.Smoke {
		before = j.parent.Blocks[0].Ticket.VRFProof
	}
	j.say(Ticket, j.vrf(worker, crypto.DomainSeparationTag_TicketProduction, j.epoch-1, before, j.h.Ticket.VRFProof))
	j.say(BlockSig, j.signed(worker))
}

// worker is the key of the miner's worker, in the lookback state.
func (j *judge) worker(ctx context.Context, miner abi.ActorID) (address.Address, error) {
	if j.lookbackErr != nil {
		return address.Undef, j.lookbackErr
	}
	st, err := j.at(ctx, j.lookback)
	if err != nil {
		return address.Undef, err
	}
	worker, err := st.Worker(ctx, miner)
	if err != nil {
		return address.Undef, err
	}
	return st.Key(ctx, worker)
}

// claimed tells whether the miner has a claim before the parents.
func (j *judge) claimed(ctx context.Context, miner abi.ActorID) error {
	_, c, err := j.claim(ctx, j.parent.ParentStateRoot(), miner)
	if err == nil && c == nil {
		err = brokenf("f0%d has no claim", miner)
	}
	return err
}

// Fields of a miner's state and of its info, in the order of their lists in all versions from 8 to 19.
const (
	minerFeeDebt    = 4
	minerSectors    = 9
	minerDeadlines  = 12
	infoWindowPoSt  = 6 // WindowPoStProofType
	infoFaultyUntil = 9 // ConsensusFaultElapsed
)

// eligible tells whether the miner may make blocks: it had the power a finality ago, and has some, no debt, and no fault of late.
func (j *judge) eligible(ctx context.Context, miner abi.ActorID) error {
	if err := j.qualifiedThen(ctx, miner); err != nil {
		return err
	}
	_, c, err := j.claim(ctx, j.parent.ParentStateRoot(), miner)
	if err != nil {
		return err
	}
	if c == nil || c.quality.Sign() <= 0 {
		return brokenf("f0%d has no power", miner)
	}
	now, err := j.at(ctx, j.parent.ParentStateRoot())
	if err != nil {
		return err
	}
	st, info, err := now.Miner(ctx, miner)
	if err != nil {
		return err
	}
	debt, err := st.Amount(minerFeeDebt)
	if err != nil {
		return err
	}
	if debt.Sign() != 0 {
		return brokenf("f0%d has a debt of %s attoFIL", miner, debt)
	}
	until, err := info.Int(infoFaultyUntil)
	if err != nil {
		return err
	}
	if j.parent.Height() <= abi.ChainEpoch(until) {
		return brokenf("f0%d may make none until epoch %d, after a fault of consensus", miner, until)
	}
	return nil
}

// Quirk: whether the miner had power enough is looked up one tipset before the lookback state.
func (j *judge) qualifiedThen(ctx context.Context, miner abi.ActorID) error {
	if j.lookbackErr != nil {
		return j.lookbackErr
	}
	p, c, err := j.claim(ctx, j.qualified, miner)
	if err != nil {
		return err
	}
	if c == nil {
		return brokenf("f0%d had no claim at epoch %d", miner, j.lookbackEpoch)
	}
	enough, err := p.enough(c, j.rules.Network.Constants.ConsensusMinerMinPower)
	if err == nil && !enough {
		err = brokenf("f0%d had %s bytes of power at epoch %d, and needed %s", miner, c.raw, j.lookbackEpoch, j.rules.Network.Constants.ConsensusMinerMinPower)
	}
	return err
}

// base is the entry of the beacon that a block draws from: its own last, or the latest before.
func (j *judge) base() (*chain.BeaconEntry, error) {
	if n := len(j.h.BeaconEntries); n > 0 {
		return &j.h.BeaconEntries[n-1], nil
	}
	return j.beacon, j.beaconErr
}

// vrf tells whether a proof is the worker's of what is drawn for the miner, with more behind its address.
func (j *judge) vrf(worker address.Address, tag crypto.DomainSeparationTag, epoch abi.ChainEpoch, more, proof []byte) error {
	entry, err := j.base()
	if err != nil {
		return err
	}
	if !vmcrypto.VerifyBLS(proof, worker, draw(entry.Data, tag, epoch, append(minerKey(j.h), more...))) {
		return brokenf("it is not that of the worker %s", addr.String(worker))
	}
	return nil
}

func (j *judge) signed(worker address.Address) error {
	data, err := j.h.SigningBytes()
	if err != nil {
		return err
	}
	sig, ok := j.h.BlockSig, false
	switch sig.Type {
	case crypto.SigTypeBLS:
		ok = vmcrypto.VerifyBLS(sig.Data, worker, data)
	case crypto.SigTypeSecp256k1:
		ok = vmcrypto.VerifySecp(sig.Data, worker, data)
	}
	if !ok {
		return brokenf("it is not that of the worker %s", addr.String(worker))
	}
	return nil
}

func (j *judge) winCount(ctx context.Context, miner abi.ActorID) error {
	claimed := j.h.ElectionProof.WinCount
	if claimed < 1 {
		return brokenf("it claims %d wins", claimed)
	}
	p, c, err := j.claim(ctx, j.lookback, miner)
	if err != nil {
		return err
	}
	total, err := p.total()
	if err != nil {
		return err
	}
	if c == nil || c.quality.Sign() < 0 || total.Sign() <= 0 {
		return brokenf("it claims %d wins, and f0%d had no power", claimed, miner)
	}
	if won := WinsOf(j.h.ElectionProof.VRFProof, c.quality.Int, total.Int); won != claimed {
		return brokenf("it claims %d, and its proof gives %d", claimed, won)
	}
	return nil
}

// maxWins of a block: three times the blocks that an epoch is expected to have.
const maxWins = 15

// precision is how many bits the fractions below have behind the point.
const precision = 256

// WinsOf is how many times an election proof wins with a power of a total above 0 (Filecoin specification, "Election PoSt"; Lotus has
// the function's numbers): the place of the proof's hash in the Poisson distribution with five wins an epoch for all.
func WinsOf(proof []byte, power, total *big.Int) int64 {
	hash := vmcrypto.Blake2b256(proof)
	place := new(big.Int).SetBytes(hash[:])
	const expected = 5
	rate := new(big.Int).Mul(power, big.NewInt(expected))
	rate.Div(rate.Lsh(rate, precision), total)
	chance := expOfMinus(rate) // of so many wins
	rest := new(big.Int).Lsh(big.NewInt(1), precision)
	rest.Sub(rest, chance) // of more
	wins := int64(0)
	for ; place.Cmp(rest) < 0 && wins < maxWins; rest.Sub(rest, chance) {
		wins++
		chance.Div(chance, big.NewInt(wins))
		chance.Rsh(chance.Mul(chance, rate), precision)
	}
	return wins
}

// expOfMinus is e^-x by a quotient of polynomials. Networks agree on its errors, too.
func expOfMinus(x *big.Int) *big.Int {
	num := horner(expNumerator, x)
	return num.Div(num.Lsh(num, precision), horner(expDenominator, x))
}

// The coefficients, the highest power's first, in units of 2^-128.
var (
	expNumerator = []string{
		"-648770010757830093818553637600", "67469480939593786226847644286976", "-3197587544499098424029388939001856",
		"89244641121992890118377641805348864", "-1579656163641440567800982336819953664", "17685496037279256458459817590917169152",
		"-115682590513835356866803355398940131328", "340282366920938463463374607431768211456",
	}
	expDenominator = []string{
		"1225524182432722209606361", "114095592300906098243859450", "5665570424063336070530214243", "194450132448609991765137938448",
		"5068267641632683791026134915072", "104716890604972796896895427629056", "1748338658439454459487681798864896",
		"23704654329841312470660182937960448", "259380097567996910282699886670381056", "2250336698853390384720606936038375424",
		"14978272436876548034486263159246028800", "72144088983913131323343765784380833792", "224599776407103106596571252037123047424",
		"340282366920938463463374607431768211456",
	}
)

func horner(coefficients []string, x *big.Int) *big.Int {
	sum := new(big.Int)
	for _, text := range coefficients {
		c, _ := new(big.Int).SetString(text, 10)
		sum.Rsh(sum.Mul(sum, x), precision)
		sum.Add(sum, c.Lsh(c, precision-128))
	}
	return sum
}
