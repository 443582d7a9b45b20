package eth

import "fmt"

// Slot is the place of a word in a contract's storage: up to 32 bytes in hex, with or without zeros before them, or a number.
type Slot [32]byte

// UnmarshalJSON reads one.
func (k *Slot) UnmarshalJSON(b []byte) error {
	var d Data
	if err := d.UnmarshalJSON(b); err == nil && len(d) <= len(k) {
		*k = Slot{}
		copy(k[len(k)-len(d):], d)
		return nil
	}
	var n Amount // "0x1", of an odd number of digits
	if err := n.UnmarshalJSON(b); err != nil {
		return fmt.Errorf("want a slot of up to 32 bytes in hex: %w", err)
	}
	n.Big().FillBytes(k[:])
	return nil
}

// UnmarshalText reads a slot as a name of a member.
func (k *Slot) UnmarshalText(b []byte) error {
	return k.UnmarshalJSON(append(append([]byte{'"'}, b...), '"'))
}
