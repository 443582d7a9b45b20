package state

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"unicode/utf8"

	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm/internal/ipld/cbor"
	"github.com/edgefvm/fvm/node/actors/jsonview"
)

// Link is a CID in data of which no type is known, as DAG-JSON writes it: {"/": "bafy..."}.
type Link struct{ cid.Cid }

// MarshalJSON writes DAG-JSON.
func (l Link) MarshalJSON() ([]byte, error) {
	return json.Marshal(map[string]string{"/": l.String()})
}

// maxRawDepth bounds how deep data of no known type nest.
const maxRawDepth = 256

// rawTree reads DAG-CBOR of which no type is known: lists, jsonview.Object with the keys of maps, numbers, text, bytes as
// 0x and hex, Link, true, false and nil.
func rawTree(data []byte) (any, error) {
	d := rawReader{data: data}
	v, err := d.item(0)
	if err == nil && len(d.data) > 0 {
		err = fmt.Errorf("%d bytes after its end", len(d.data))
	}
	return v, err
}

type rawReader struct{ data []byte }

var errCut = errors.New("malformed CBOR: it ends early")

func (d *rawReader) take(n uint64) ([]byte, error) {
	if n > uint64(len(d.data)) {
		return nil, errCut
	}
	b := d.data[:n]
	d.data = d.data[n:]
	return b, nil
}

func (d *rawReader) item(depth int) (any, error) {
	if depth > maxRawDepth {
		return nil, fmt.Errorf("it nests deeper than %d", maxRawDepth)
	}
	if len(d.data) == 0 {
		return nil, errCut
	}
	first := d.data[0]
	major, arg, n := cbor.Header(d.data)
	if n <= 0 {
		return nil, errors.New("malformed CBOR: a header that DAG-CBOR does not have")
	}
	d.data = d.data[n:]
	switch major {
	case cbor.Uint:
		return json.Number(strconv.FormatUint(arg, 10)), nil
	case cbor.Negint:
		if arg > math.MaxInt64 {
			return nil, errors.New("a number below -2^63")
		}
		return json.Number(strconv.FormatInt(-1-int64(arg), 10)), nil
	case cbor.Bytes:
		b, err := d.take(arg)
		return jsonview.Hex(b), err
	case cbor.Text:
		b, err := d.take(arg)
		if err == nil && !utf8.Valid(b) {
			err = errors.New("malformed CBOR: text that is not UTF-8")
		}
		return string(b), err
	case cbor.Array:
		list := []any{}
		for range arg {
			v, err := d.item(depth + 1)
			if err != nil {
				return nil, err
			}
			list = append(list, v)
		}
		return list, nil
	case cbor.Map:
		return d.object(arg, depth)
	case cbor.Tag:
		return d.link(arg)
	}
	return simple(first, arg, n)
}

func (d *rawReader) object(n uint64, depth int) (any, error) {
	o := jsonview.Object{}
	for range n {
		key, err := d.item(depth + 1)
		if err != nil {
			return nil, err
		}
		name, ok := key.(string)
		if !ok {
			return nil, errors.New("a map's key that is not text")
		}
		v, err := d.item(depth + 1)
		if err != nil {
			return nil, err
		}
		o = append(o, jsonview.Field{Name: name, Value: v})
	}
	return o, nil
}

func (d *rawReader) link(tag uint64) (any, error) {
	if tag != cbor.TagCID {
		return nil, fmt.Errorf("the tag %d, which DAG-CBOR does not have", tag)
	}
	major, arg, n := cbor.Header(d.data)
	if n <= 0 || major != cbor.Bytes {
		return nil, errors.New("malformed CBOR: a link that is no byte string")
	}
	d.data = d.data[n:]
	b, err := d.take(arg)
	if err != nil {
		return nil, err
	}
	if len(b) == 0 || b[0] != 0 {
		return nil, errors.New("malformed CBOR: a link without its zero byte")
	}
	c, used, err := cbor.ParseCID(b[1:])
	if err != nil || used != len(b)-1 {
		return nil, errors.New("malformed CBOR: a link without a CID")
	}
	return Link{c}, nil
}

// simple is false, true, null, or a float of 64 bits.
func simple(first byte, arg uint64, n int) (any, error) {
	switch {
	case first == 0xf4:
		return false, nil
	case first == 0xf5:
		return true, nil
	case first == cbor.Null:
		return nil, nil
	case n == 9:
		f := math.Float64frombits(arg)
		if math.IsNaN(f) || math.IsInf(f, 0) {
			return nil, errors.New("a float that is no number, which DAG-CBOR does not have")
		}
		return json.Number(strconv.FormatFloat(f, 'g', -1, 64)), nil
	}
	return nil, fmt.Errorf("the simple value %#x, which DAG-CBOR does not have", first)
}
