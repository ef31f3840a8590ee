package files_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"io"
	"strings"
	"testing"

	"fechatter/files"
)

func encoded(t testing.TB, encode func(io.Writer, image.Image) error) []byte {
	t.Helper()
	p := image.NewPaletted(image.Rect(0, 0, 40, 20), color.Palette{color.Black, color.White})
	for x := range 20 {
		p.SetColorIndex(x, x, 1)
	}
	var b bytes.Buffer
	if err := encode(&b, p); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func jpegOf(w io.Writer, p image.Image) error { return jpeg.Encode(w, p, nil) }
func gifOf(w io.Writer, p image.Image) error  { return gif.Encode(w, p, nil) }

// chunk is one of a PNG.
func chunk(kind, body string) string {
	b := binary.BigEndian.AppendUint32(nil, uint32(len(body)))
	b = append(b, kind+body...)
	return string(binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b[4:])))
}

// webp is a picture of one colour, without loss, with metadata behind it.
func webp(extra string) []byte {
	pixels := "VP8L\x0f\x00\x00\x00\x2f\x00\x00\x00\x00\x07\xd0\xff\xfe\xf7\xbf\xff\x81\x88\x88\xff\x01\x00"[:8+16]
	body := "WEBP" + pixels + extra
	return append(binary.LittleEndian.AppendUint32([]byte("RIFF"), uint32(len(body))), body...)
}

// TestCleanKeepsThePicture: every pixel stays, everything else goes, and what was clean stays as it
// was.
func TestCleanKeepsThePicture(t *testing.T) {
	plain := map[string][]byte{"image/jpeg": encoded(t, jpegOf), "image/png": encoded(t, png.Encode), "image/gif": encoded(t, gifOf)}
	end := bytes.Index(plain["image/png"], []byte("IDAT")) - 4
	dirty := map[string]string{
		"image/jpeg": string(plain["image/jpeg"][:2]) + "\xff\xe1\x00\x0fExif\x00\x00 secret" + "\xff\xfe\x00\x08secret" + string(plain["image/jpeg"][2:]) + "secret",
		"image/png":  string(plain["image/png"][:end]) + chunk("tEXt", "where\x00secret") + chunk("eXIf", "secret") + string(plain["image/png"][end:]) + "secret",
		"image/gif":  strings.TrimSuffix(string(plain["image/gif"]), "\x3b") + "\x21\xfe\x06secret\x00" + "\x21\xff\x0bXMP DataXMP\x06secret\x00\x3b" + "secret",
	}
	for kind, b := range dirty {
		var clean bytes.Buffer
		if err := files.Clean(&clean, strings.NewReader(b), kind); err != nil {
			t.Errorf("%s: %v", kind, err)
			continue
		}
		if strings.Contains(clean.String(), "secret") {
			t.Errorf("%s keeps the secret", kind)
		}
		if !bytes.Equal(clean.Bytes(), plain[kind]) {
			t.Errorf("%s: %d bytes of %d are left", kind, clean.Len(), len(plain[kind]))
		}
	}
	var clean bytes.Buffer
	if err := files.Clean(&clean, bytes.NewReader(webp("EXIF\x06\x00\x00\x00secretXMP \x05\x00\x00\x00secre\x00")), "image/webp"); err != nil || !bytes.Equal(clean.Bytes(), webp("")) {
		t.Errorf("webp: %q, %v", clean.Bytes(), err)
	}
}

// TestUpright turns a picture as each orientation says: the dark corner comes to the top left.
func TestUpright(t *testing.T) {
	corners := map[int]image.Point{1: {0, 0}, 2: {1, 0}, 3: {1, 1}, 4: {0, 1}, 5: {0, 0}, 6: {0, 1}, 7: {1, 1}, 8: {1, 0}}
	for o, corner := range corners {
		p := image.NewGray(image.Rect(0, 0, 320, 160))
		for i := range p.Pix {
			p.Pix[i] = 255
		}
		for y := range 80 {
			for x := range 160 {
				p.SetGray(x+corner.X*160, y+corner.Y*80, color.Gray{})
			}
		}
		var b bytes.Buffer
		if err := jpeg.Encode(&b, p, nil); err != nil {
			t.Fatal(err)
		}
		exif := "\xff\xe1\x00\x22Exif\x00\x00II*\x00\x08\x00\x00\x00\x01\x00\x12\x01\x03\x00\x01\x00\x00\x00" + string(rune(o)) + "\x00\x00\x00\x00\x00\x00\x00"
		lying := b.String()[:2] + exif + b.String()[2:]
		var clean bytes.Buffer
		if err := files.Clean(&clean, strings.NewReader(lying), "image/jpeg"); err != nil {
			t.Fatal(err)
		}
		var small bytes.Buffer
		picture, err := files.NewPictures().Thumbs(t.Context(), bytes.NewReader(clean.Bytes()), func(size int, write func(io.Writer) error) error {
			small.Reset()
			return write(&small)
		})
		if err != nil {
			t.Fatal(err)
		}
		thumb, err := jpeg.Decode(&small)
		if err != nil {
			t.Fatal(err)
		}
		size := image.Pt(160, 80)
		if o > 4 {
			size = image.Pt(80, 160)
		}
		dark, _, _, _ := thumb.At(10, 10).RGBA()
		light, _, _, _ := thumb.At(size.X-10, size.Y-10).RGBA()
		if thumb.Bounds().Size() != size || dark > 0x4000 || light < 0xb000 || picture.Width != size.X*2 {
			t.Errorf("orientation %d: %v, %x %x, %+v", o, thumb.Bounds(), dark, light, picture)
		}
	}
}

// TestBombs: a picture that says it is vast is not decoded, whatever it holds.
func TestBombs(t *testing.T) {
	for _, size := range [][2]uint32{{50_000, 50_000}, {5_001, 5_000}, {30_001, 1}, {1, 30_001}} {
		head := binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, size[0]), size[1])
		bomb := "\x89PNG\r\n\x1a\n" + chunk("IHDR", string(head)+"\x08\x00\x00\x00\x00") + chunk("IDAT", "") + chunk("IEND", "")
		decoded := false
		_, err := files.NewPictures().Thumbs(t.Context(), strings.NewReader(bomb), func(int, func(io.Writer) error) error { decoded = true; return nil })
		if !errors.Is(err, files.ErrPicture) || decoded || !strings.Contains(err.Error(), "pixels") {
			t.Errorf("%v: %v", size, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := files.NewPictures().Thumbs(ctx, strings.NewReader("nothing"), nil); !errors.Is(err, files.ErrPicture) {
		t.Errorf("no picture: %v", err)
	}
}

func TestSniff(t *testing.T) {
	for head, want := range map[string]string{
		"": files.Unknown, "<svg": files.Unknown, "GIF89": files.Unknown, "GIF89a": "image/gif", "RIFF\x00\x00\x00\x00WEBPVP8 ": "image/webp",
		"RIFF\x00\x00\x00\x00WAVEfmt ": "audio/wav", "\x00\x00\x00\x18ftypavif\x00\x00\x00\x00mif1miaf": "image/avif",
		"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic": files.Unknown, "\x00\x00\x00\x18ftypisom\x00\x00\x00\x00isomiso2": "video/mp4",
		"\xff\xff\xff\xffftyp": files.Unknown, "\x1a\x45\xdf\xa3\x01\x00webm": "video/webm", "\x1a\x45\xdf\xa3matroska": files.Unknown,
		"%PDF-1.4": "application/pdf", " %PDF-1.4": files.Unknown, "\xff\xfb\x90": "audio/mpeg", "ID3\x04": "audio/mpeg", "OggS": "audio/ogg",
	} {
		if got := files.Sniff([]byte(head)); got != want {
			t.Errorf("%q is %s, want %s", head, got, want)
		}
	}
}

// FuzzClean: no bytes make it fail otherwise than by an error, and what it passes is not longer.
func FuzzClean(f *testing.F) {
	kinds := []string{"image/jpeg", "image/png", "image/gif", "image/webp"}
	for i, b := range [][]byte{encoded(f, jpegOf), encoded(f, png.Encode), encoded(f, gifOf), webp("EXIF\x02\x00\x00\x00ab")} {
		f.Add(i, b)
	}
	f.Fuzz(func(t *testing.T, kind int, b []byte) {
		var clean bytes.Buffer
		if err := files.Clean(&clean, bytes.NewReader(b), kinds[uint(kind)%uint(len(kinds))]); err == nil && clean.Len() > len(b)+len(b)/4 { // Exif of our own may be longer
			t.Errorf("%d bytes became %d", len(b), clean.Len())
		}
	})
}
