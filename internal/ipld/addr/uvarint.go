package addr

const (
	maxUvarintLen = 10 // bytes that hold 64 bits, seven in each
	uvarintMore   = 0x80
)

// ReadUvarint reads an unsigned LEB128 number of up to 64 bits and returns what follows it. The number must be
// in its shortest form. The error is ErrInvalid.
//
// Quirk: the network's reader drops the bits of a tenth byte above the 64th instead of refusing them, so nine
// bytes 0x80 and then 0x02 read as 0 (and are written back as one byte).
func ReadUvarint(b []byte) (v uint64, rest []byte, err error) {
	for i, c := range b {
		if i == maxUvarintLen {
			break
		}
		v |= uint64(c&^uvarintMore) << (7 * i)
		if c < uvarintMore {
			if c == 0 && i > 0 {
				return 0, nil, ErrInvalid
			}
			return v, b[i+1:], nil
		}
	}
	return 0, nil, ErrInvalid
}
