package files

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
)

// errMangled says that a picture is not built as its format says.
var errMangled = errors.New("the picture is not built as its format says")

// Cleans reports whether pictures of a media type can be freed of their metadata.
func Cleans(mediaType string) bool { return cleaners[mediaType] != nil }

var cleaners = map[string]func(w io.Writer, r *bufio.Reader) error{
	"image/jpeg": cleanJPEG, "image/png": cleanPNG, "image/gif": cleanGIF, "image/webp": cleanWebP,
}

// Clean copies a picture without what its camera or editor wrote beside it: the place, the time,
// the device, comments, previews. Its pixels, colours and animation stay as they are, and so does
// the way in which it lies. Errors: those of r and w, and that it is not built as its format says.
func Clean(w io.Writer, r io.Reader, mediaType string) error {
	clean := cleaners[mediaType]
	if clean == nil {
		return fmt.Errorf("%s has no metadata that is known", mediaType)
	}
	buffered := bufio.NewWriter(w)
	if err := clean(buffered, bufio.NewReader(r)); err != nil {
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			err = errors.Join(errMangled, err)
		}
		return err
	}
	return buffered.Flush()
}

// cleanPNG keeps the chunks that make the picture.
func cleanPNG(w io.Writer, r *bufio.Reader) error {
	if _, err := io.CopyN(w, r, 8); err != nil {
		return err
	}
	for {
		head := make([]byte, 8)
		if _, err := io.ReadFull(r, head); err != nil {
			return err
		}
		length, kind := int64(binary.BigEndian.Uint32(head)), string(head[4:])
		if length > 1<<31-1 {
			return errMangled
		}
		to := w
		switch kind {
		case "eXIf", "tEXt", "zTXt", "iTXt", "tIME", "dSIG", "caBX":
			to = io.Discard
		}
		if _, err := to.Write(head); err != nil {
			return err
		}
		if _, err := io.CopyN(to, r, length+crc32.Size); err != nil {
			return err
		}
		if kind == "IEND" { // what follows is no part of the picture
			return nil
		}
	}
}

// cleanWebP keeps the chunks that make the picture, and corrects the length and the flags.
func cleanWebP(w io.Writer, r *bufio.Reader) error {
	head := make([]byte, 12)
	if _, err := io.ReadFull(r, head); err != nil {
		return err
	}
	left := int64(binary.LittleEndian.Uint32(head[4:])) - 4
	if left < 0 || left > maxWebP {
		return errMangled
	}
	kept, err := webpChunks(r, left)
	if err != nil {
		return err
	}
	binary.LittleEndian.PutUint32(head[4:], uint32(len(kept)+4)) //nolint:gosec // shorter than left
	_, err = w.Write(append(head, kept...))
	return err
}

// maxWebP bounds the pictures that are in memory for a moment.
const maxWebP = 64 << 20

func webpChunks(r io.Reader, left int64) (kept []byte, err error) {
	for left >= 8 {
		head := make([]byte, 8)
		if _, err := io.ReadFull(r, head); err != nil {
			return nil, err
		}
		length := int64(binary.LittleEndian.Uint32(head[4:]))
		length += length & 1
		if left -= 8 + length; left < 0 {
			return nil, errMangled
		}
		switch string(head[:4]) {
		case "EXIF", "XMP ":
			if _, err := io.CopyN(io.Discard, r, length); err != nil {
				return nil, err
			}
			continue
		}
		body := make([]byte, length)
		if _, err := io.ReadFull(r, body); err != nil {
			return nil, err
		}
		if string(head[:4]) == "VP8X" && length > 0 {
			body[0] &^= 0b1100 // it has neither Exif nor XMP any more
		}
		kept = append(append(kept, head...), body...)
	}
	return kept, nil
}
