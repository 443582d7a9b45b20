package main

import (
	"bufio"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"

	commcid "github.com/filecoin-project/go-fil-commcid"
	"github.com/ipfs/go-cid"

	"github.com/filecoin-project/go-state-types/abi"
)

// rust is lab/prover, the published crates as a program: it makes the proofs, which the daemon judges without it. Not
// for several goroutines.
type rust struct {
	dir     string
	cmd     *exec.Cmd
	in      io.WriteCloser
	out     *bufio.Scanner
	folders map[cid.Cid]string // of replicas, by what they are sealed to
}

func startRust(program, dir string) (*rust, error) {
	cmd := exec.Command(program)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	r := &rust{dir, cmd, in, bufio.NewScanner(out), map[cid.Cid]string{}}
	r.out.Buffer(nil, 1<<20)
	return r, nil
}

func (r *rust) close() error {
	return errors.Join(r.in.Close(), r.cmd.Wait())
}

// made is what an operation gives, in hex.
type made struct {
	CommR string `json:"comm_r"`
	CommD string `json:"comm_d"`
	Proof string `json:"proof"`
}

func (m made) proof() []byte {
	b, _ := hex.DecodeString(m.Proof)
	return b
}

// replica is a sealed or updated sector.
type replica struct {
	sealed, unsealed cid.Cid
	proof            []byte // of an update
}

func (r *rust) ask(request map[string]any) (made, error) {
	line, err := json.Marshal(request)
	if err != nil {
		return made{}, err
	}
	if _, err := r.in.Write(append(line, '\n')); err != nil {
		return made{}, err
	}
	if !r.out.Scan() {
		return made{}, fmt.Errorf("the prover ended: %w", errors.Join(r.out.Err(), io.ErrUnexpectedEOF))
	}
	var answer struct {
		OK    *made  `json:"ok"`
		Error string `json:"error"`
	}
	if err := json.Unmarshal(r.out.Bytes(), &answer); err != nil {
		return made{}, err
	}
	if answer.OK == nil {
		return made{}, fmt.Errorf("%s: %s", request["op"], answer.Error)
	}
	return *answer.OK, nil
}

// replica has an operation make one, in a folder of that name.
func (r *rust) replica(folder string, request map[string]any) (replica, error) {
	m, err := r.ask(request)
	if err != nil {
		return replica{}, err
	}
	commR, err := hex.DecodeString(m.CommR)
	if err != nil {
		return replica{}, err
	}
	commD, err := hex.DecodeString(m.CommD)
	if err != nil {
		return replica{}, err
	}
	made := replica{proof: m.proof()}
	if made.sealed, err = commcid.ReplicaCommitmentV1ToCID(commR); err != nil {
		return made, err
	}
	made.unsealed, err = commcid.DataCommitmentV1ToCID(commD)
	r.folders[made.sealed] = folder
	return made, err
}

const minerID = 1000

func (r *rust) folder(sector abi.SectorNumber) string {
	return filepath.Join(r.dir, fmt.Sprintf("sector-%d", sector))
}

// seal seals a sector of zeroes.
func (r *rust) seal(sector abi.SectorNumber, ticket []byte) (replica, error) {
	dir := r.folder(sector)
	return r.replica(dir, map[string]any{"op": "seal", "dir": dir, "miner": minerID, "sector": sector, "ticket": hex.EncodeToString(ticket)})
}

// prove is the proof of a sealed sector.
func (r *rust) prove(sector abi.SectorNumber, seed []byte) ([]byte, error) {
	m, err := r.ask(map[string]any{"op": "prove", "dir": r.folder(sector), "seed": hex.EncodeToString(seed)})
	return m.proof(), err
}

// update puts data into a sector of zeroes.
func (r *rust) update(sector abi.SectorNumber, data []byte) (replica, error) {
	dir := r.folder(sector) + "-new"
	return r.replica(dir, map[string]any{"op": "update", "dir": r.folder(sector), "new": dir, "data": hex.EncodeToString(data)})
}

// post is the PoSt of replicas.
func (r *rust) post(winning bool, randomness []byte, sealed ...cid.Cid) ([]byte, error) {
	var dirs []string
	for _, c := range sealed {
		dir, ok := r.folders[c]
		if !ok {
			return nil, fmt.Errorf("no replica is sealed to %s", c)
		}
		dirs = append(dirs, dir)
	}
	m, err := r.ask(map[string]any{"op": "post", "winning": winning, "miner": minerID, "randomness": hex.EncodeToString(randomness), "dirs": dirs})
	return m.proof(), err
}
