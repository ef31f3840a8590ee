package persistence

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
)

// digest is a fingerprint of rows in any order: the sum of their hashes.
type digest struct {
	rows int64
	sum  [sha256.Size / 8]uint64
}

// add takes one row in. A value of a kind that the schema has not is an error.
func (d *digest) add(row []any) error {
	var b []byte
	for _, value := range row {
		switch v := value.(type) {
		case nil:
			b = append(b, 'n')
		case int64:
			b = binary.BigEndian.AppendUint64(append(b, 'i'), uint64(v))
		case string:
			b = binary.BigEndian.AppendUint64(append(b, 's'), uint64(len(v)))
			b = append(b, v...)
		default:
			return fmt.Errorf("a value is a %T, neither text nor a whole number", value)
		}
	}
	hash := sha256.Sum256(b)
	for i := range d.sum {
		d.sum[i] += binary.BigEndian.Uint64(hash[8*i:])
	}
	d.rows++
	return nil
}
