package files

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"io"
)

// Markers of JPEG (ITU T.81, table B.1).
const (
	markerEOI, markerSOS    = 0xd9, 0xda
	markerAPP0, markerAPP1  = 0xe0, 0xe1
	markerAPP2, markerAPP14 = 0xe2, 0xee
	markerAPP15, markerCOM  = 0xef, 0xfe
)

// cleanJPEG keeps the segments that make the picture, colour profile included. Of Exif it keeps
// how the picture lies, in an Exif of its own. It ends with the picture: cameras put videos behind.
func cleanJPEG(w io.Writer, r *bufio.Reader) error {
	if _, err := io.CopyN(w, r, 2); err != nil {
		return err
	}
	marker, err := nextMarker(r)
	for ; err == nil; marker, err = nextMarker(r) {
		for marker == markerSOS { // there may be several
			if err := copySegment(w, r, marker); err != nil {
				return err
			}
			if marker, err = copyScan(w, r); err != nil {
				return err
			}
		}
		if marker == markerEOI {
			_, err := w.Write([]byte{0xff, markerEOI})
			return err
		}
		if err := copySegment(w, r, marker); err != nil {
			return err
		}
	}
	return err
}

func copySegment(w io.Writer, r *bufio.Reader, marker byte) error {
	body, err := segment(r)
	if err != nil {
		return err
	}
	if body = kept(marker, body); body == nil {
		return nil
	}
	return writeSegment(w, marker, body)
}

// kept returns what is kept of a segment, nil for nothing.
func kept(marker byte, body []byte) []byte {
	switch {
	case marker == markerAPP1:
		if o := exifOrientation(body); o > 1 {
			return exifOf(o)
		}
		return nil
	case marker == markerAPP2 && bytes.HasPrefix(body, []byte("ICC_PROFILE\x00")), marker == markerAPP14, marker == markerAPP0 && bytes.HasPrefix(body, []byte("JFIF\x00")):
		return body
	case marker >= markerAPP0 && marker <= markerAPP15, marker == markerCOM:
		return nil
	}
	return body
}

func nextMarker(r *bufio.Reader) (byte, error) {
	b, err := r.ReadByte()
	if err == nil && b != 0xff {
		return 0, errMangled
	}
	return markerCode(r, err)
}

// markerCode reads what follows the first 0xff of a marker, past those that fill up.
func markerCode(r *bufio.Reader, err error) (byte, error) {
	code := byte(0xff)
	for err == nil && code == 0xff {
		code, err = r.ReadByte()
	}
	return code, err
}

// segment reads the length of a segment and what is in it.
func segment(r *bufio.Reader) ([]byte, error) {
	var length [2]byte
	if _, err := io.ReadFull(r, length[:]); err != nil {
		return nil, err
	}
	n := int(binary.BigEndian.Uint16(length[:]))
	if n < 2 {
		return nil, errMangled
	}
	body := make([]byte, n-2)
	_, err := io.ReadFull(r, body)
	return body, err
}

func writeSegment(w io.Writer, marker byte, body []byte) error {
	head := []byte{0xff, marker, 0, 0}
	binary.BigEndian.PutUint16(head[2:], uint16(len(body)+2)) //nolint:gosec // it was read from as many bits
	if _, err := w.Write(head); err != nil {
		return err
	}
	_, err := w.Write(body)
	return err
}

// copyScan copies coded pixels, and returns the marker that ends them.
func copyScan(w io.Writer, r *bufio.Reader) (marker byte, err error) {
	for {
		run, err := r.ReadSlice(0xff)
		if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
			return 0, err
		}
		if err != nil {
			if _, err := w.Write(run); err != nil {
				return 0, err
			}
			continue
		}
		if _, err := w.Write(run[:len(run)-1]); err != nil {
			return 0, err
		}
		code, err := markerCode(r, nil)
		if err != nil || code != 0 && (code < 0xd0 || code > 0xd7) {
			return code, err
		}
		if _, err := w.Write([]byte{0xff, code}); err != nil { // a byte of the pixels, or a restart among them
			return 0, err
		}
	}
}

// orientation returns how a JPEG lies, 1 if it does not say.
func orientation(r io.Reader) int {
	b := bufio.NewReader(r)
	if _, err := b.Discard(2); err != nil {
		return 1
	}
	for {
		marker, err := nextMarker(b)
		if err != nil || marker == markerSOS || marker == markerEOI {
			return 1
		}
		body, err := segment(b)
		if err != nil {
			return 1
		}
		if marker == markerAPP1 {
			if o := exifOrientation(body); o > 1 {
				return o
			}
		}
	}
}

const exifHead = "Exif\x00\x00"

// exifOrientation reads the tag 0x0112 of the first directory (Exif 2.3, 4.6.4), 0 without one.
func exifOrientation(body []byte) int {
	tiff, ok := bytes.CutPrefix(body, []byte(exifHead))
	if !ok || len(tiff) < 8 {
		return 0
	}
	var order binary.ByteOrder = binary.LittleEndian
	if string(tiff[:2]) == "MM" {
		order = binary.BigEndian
	}
	at := int64(order.Uint32(tiff[4:]))
	if at+2 > int64(len(tiff)) {
		return 0
	}
	entries := tiff[at+2:]
	for range order.Uint16(tiff[at:]) {
		if len(entries) < 12 {
			return 0
		}
		if order.Uint16(entries) == 0x0112 {
			if o := int(order.Uint16(entries[8:])); o >= 1 && o <= 8 {
				return o
			}
			return 0
		}
		entries = entries[12:]
	}
	return 0
}

// exifOf is an Exif segment that says how a picture lies, and nothing else.
func exifOf(orientation int) []byte {
	return append([]byte(exifHead+"MM\x00*\x00\x00\x00\x08\x00\x01\x01\x12\x00\x03\x00\x00\x00\x01\x00"), byte(orientation), 0, 0, 0, 0, 0, 0)
}
