package files

import (
	"bufio"
	"bytes"
	"io"
)

// Blocks of GIF89a.
const (
	gifExtension, gifImage, gifTrailer  = 0x21, 0x2c, 0x3b
	gifComment, gifText, gifApplication = 0xfe, 0x01, 0xff
)

// cleanGIF leaves out comments, text, and what applications added, but for the repetition.
func cleanGIF(w io.Writer, r *bufio.Reader) error {
	head := make([]byte, 13)
	if _, err := io.ReadFull(r, head); err != nil {
		return err
	}
	if _, err := w.Write(head); err != nil {
		return err
	}
	if _, err := io.CopyN(w, r, gifTable(head[10])); err != nil {
		return err
	}
	for {
		kind, err := r.ReadByte()
		if err != nil {
			return err
		}
		switch kind {
		case gifTrailer:
			_, err := w.Write([]byte{gifTrailer})
			return err
		case gifImage:
			err = copyGIFImage(w, r)
		case gifExtension:
			err = copyGIFExtension(w, r)
		default:
			err = errMangled
		}
		if err != nil {
			return err
		}
	}
}

// gifTable is the length of the colour table that flags announce.
func gifTable(flags byte) int64 {
	if flags&0x80 == 0 {
		return 0
	}
	return 3 << (flags&7 + 1)
}

func copyGIFImage(w io.Writer, r *bufio.Reader) error {
	head := append([]byte{gifImage}, make([]byte, 9)...)
	if _, err := io.ReadFull(r, head[1:]); err != nil {
		return err
	}
	if _, err := w.Write(head); err != nil {
		return err
	}
	if _, err := io.CopyN(w, r, gifTable(head[9])+1); err != nil {
		return err
	}
	return copyGIFBlocks(w, r)
}

func copyGIFExtension(w io.Writer, r *bufio.Reader) error {
	label, err := r.ReadByte()
	if err != nil {
		return err
	}
	to := w
	switch label {
	case gifComment, gifText:
		to = io.Discard
	case gifApplication:
		if name, err := r.Peek(12); err != nil || !bytes.Equal(name[1:], []byte("NETSCAPE2.0")) {
			to = io.Discard
		}
	}
	if _, err := to.Write([]byte{gifExtension, label}); err != nil {
		return err
	}
	return copyGIFBlocks(to, r)
}

// copyGIFBlocks copies blocks, each after its length, up to the empty one.
func copyGIFBlocks(w io.Writer, r *bufio.Reader) error {
	for {
		n, err := r.ReadByte()
		if err != nil {
			return err
		}
		if _, err := w.Write([]byte{n}); err != nil {
			return err
		}
		if n == 0 {
			return nil
		}
		if _, err := io.CopyN(w, r, int64(n)); err != nil {
			return err
		}
	}
}
