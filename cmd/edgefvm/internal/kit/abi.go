package kit

import (
	"fmt"
	"os"

	"github.com/edgefvm/fvm/node/ethabi"
)

// maxABI bounds the file of an ABI, in bytes.
const maxABI = 64 << 20

// LoadABI reads the ABI of a contract that --abi names; nil if it names none.
func LoadABI(path string) (*ethabi.ABI, error) {
	if path == "" {
		return nil, nil
	}
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("--abi: %w", err)
	}
	if info.Size() > maxABI {
		return nil, fmt.Errorf("--abi: %s has %d bytes, which is no ABI", path, info.Size())
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("--abi: %w", err)
	}
	abi, err := ethabi.Parse(text)
	if err != nil {
		return nil, fmt.Errorf("--abi %s: %w", path, err)
	}
	return abi, nil
}
