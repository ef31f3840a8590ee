package files

import (
	"bytes"
	"encoding/binary"
	"slices"
	"strings"
)

// SniffBytes is how many of the first bytes of a file Sniff looks at.
const SniffBytes = 512

// Unknown is the media type of what no browser shows by itself.
const Unknown = "application/octet-stream"

var magics = []struct{ magic, mediaType string }{
	{"\x89PNG\r\n\x1a\n", "image/png"},
	{"\xff\xd8\xff", "image/jpeg"},
	{"GIF87a", "image/gif"},
	{"GIF89a", "image/gif"},
	{"RIFF????WEBP", "image/webp"},
	{"RIFF????WAVE", "audio/wav"},
	{"OggS", "audio/ogg"},
	{"ID3", "audio/mpeg"},
	{"\xff\xfb", "audio/mpeg"},
	{"\xff\xf3", "audio/mpeg"},
	{"\xff\xf2", "audio/mpeg"},
	{"%PDF-", "application/pdf"},
}

// Sniff returns the media type that the first bytes of a file prove, of those that a browser may
// show in place, or Unknown: what somebody says about a file is no proof.
func Sniff(head []byte) string {
	for _, m := range magics {
		if matches(head, m.magic) {
			return m.mediaType
		}
	}
	switch {
	case matches(head, "????ftyp") && len(head) >= 12:
		return sniffBrand(head)
	case matches(head, "\x1a\x45\xdf\xa3") && bytes.Contains(head[:min(len(head), 64)], []byte("webm")):
		return "video/webm"
	}
	return Unknown
}

// matches compares, with '?' for any byte.
func matches(head []byte, magic string) bool {
	if len(head) < len(magic) {
		return false
	}
	for i := range len(magic) {
		if magic[i] != '?' && magic[i] != head[i] {
			return false
		}
	}
	return true
}

// sniffBrand tells the formats of ISO/IEC 14496-12 by their brands: the major one, then those that
// the file says it is compatible with.
func sniffBrand(head []byte) string {
	end := min(int(min(binary.BigEndian.Uint32(head), SniffBytes)), len(head))
	brands := []string{string(head[8:12])}
	for i := 16; i+4 <= end; i += 4 {
		brands = append(brands, string(head[i:i+4]))
	}
	switch {
	case slices.Contains(brands[:1], "avif"), slices.Contains(brands[:1], "avis"), slices.Contains(brands, "avif"):
		return "image/avif"
	case slices.ContainsFunc([]string{"heic", "heix", "mif1", "msf1", "hevc", "qt  "}, func(b string) bool { return brands[0] == b }):
		return Unknown
	case slices.ContainsFunc(brands, func(b string) bool {
		return b == "isom" || b == "avc1" || b == "dash" || strings.HasPrefix(b, "iso") || strings.HasPrefix(b, "mp4")
	}):
		return "video/mp4"
	}
	return Unknown
}
