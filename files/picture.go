package files

import (
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	_ "image/gif" // decodes
	"image/jpeg"
	_ "image/png" // decodes
	"io"

	"golang.org/x/image/draw"
	_ "golang.org/x/image/webp" // decodes
)

// Sizes are those of thumbnails: the most pixels in either direction.
var Sizes = []int{160, 480, 1280}

const (
	// maxPixels bounds what is decoded: a progressive JPEG takes six bytes of memory for each.
	maxPixels    = 25_000_000
	maxDimension = 30_000
	thumbQuality = 82
)

// ErrPicture says that a picture cannot be read, or is too large to look into. The file itself may
// be kept all the same.
var ErrPicture = errors.New("not a picture that can be shown small")

// Picture is what a picture says about itself, upright.
type Picture struct {
	Width, Height int
	orientation   int // as in Exif: 1 to 8
}

// Pictures reads pictures, one at a time: each may take much memory.
type Pictures struct{ turn chan struct{} }

// NewPictures returns one, which is safe for concurrent use.
func NewPictures() *Pictures { return &Pictures{make(chan struct{}, 1)} }

// Measure reads the size of a picture from its header.
func Measure(r io.ReadSeeker) (Picture, error) {
	config, kind, err := image.DecodeConfig(r)
	if err != nil {
		return Picture{}, errors.Join(ErrPicture, err)
	}
	p := Picture{config.Width, config.Height, 1}
	if kind == "jpeg" {
		if _, err := r.Seek(0, io.SeekStart); err != nil {
			return Picture{}, err
		}
		p.orientation = orientation(r)
	}
	if p.orientation > 4 { // those lie on their side
		p.Width, p.Height = p.Height, p.Width
	}
	_, err = r.Seek(0, io.SeekStart)
	return p, err
}

// fits reports whether a picture may be decoded.
func (p Picture) fits() bool {
	return p.Width > 0 && p.Height > 0 && p.Width <= maxDimension && p.Height <= maxDimension && p.Width*p.Height <= maxPixels
}

// Thumbs writes a picture small, upright and still, once for each of Sizes, into what open returns.
// It waits for its turn until ctx ends. Errors: ErrPicture.
func (l *Pictures) Thumbs(ctx context.Context, r io.ReadSeeker, to func(size int, write func(io.Writer) error) error) (Picture, error) {
	p, err := Measure(r)
	if err != nil {
		return Picture{}, err
	}
	if !p.fits() {
		return p, fmt.Errorf("%w: %d × %d pixels", ErrPicture, p.Width, p.Height)
	}
	select {
	case l.turn <- struct{}{}:
		defer func() { <-l.turn }()
	case <-ctx.Done():
		return p, ctx.Err()
	}
	whole, _, err := image.Decode(r)
	if err != nil {
		return p, errors.Join(ErrPicture, err)
	}
	small := whole
	for i := len(Sizes) - 1; i >= 0; i-- { // each from the next larger one
		small = shrink(small, Sizes[i])
		upright := turned(small, p.orientation)
		err := to(Sizes[i], func(w io.Writer) error { return jpeg.Encode(w, upright, &jpeg.Options{Quality: thumbQuality}) })
		if err != nil {
			return p, err
		}
	}
	return p, nil
}

// shrink scales a picture down to at most so many pixels in either direction, on white.
func shrink(whole image.Image, size int) image.Image {
	b := whole.Bounds()
	w, h := b.Dx(), b.Dy()
	if longest := max(w, h); longest > size {
		w, h = max(1, w*size/longest), max(1, h*size/longest)
	}
	small := image.NewRGBA(image.Rect(0, 0, w, h))
	draw.Draw(small, small.Bounds(), image.NewUniform(color.White), image.Point{}, draw.Src)
	draw.CatmullRom.Scale(small, small.Bounds(), whole, b, draw.Over, nil)
	return small
}

// turned makes a picture upright that lies as an Exif orientation says.
func turned(p image.Image, orientation int) image.Image {
	if orientation < 2 || orientation > 8 {
		return p
	}
	b := p.Bounds()
	w, h := b.Dx(), b.Dy()
	size := image.Rect(0, 0, w, h)
	if orientation > 4 {
		size = image.Rect(0, 0, h, w)
	}
	to := image.NewRGBA(size)
	for y := range size.Dy() {
		for x := range size.Dx() {
			to.Set(x, y, p.At(source(orientation, x, y, w, h)))
		}
	}
	return to
}

// source is where a pixel of the upright picture lies in one of w × h pixels.
func source(orientation, x, y, w, h int) (int, int) {
	switch orientation {
	case 2:
		return w - 1 - x, y
	case 3:
		return w - 1 - x, h - 1 - y
	case 4:
		return x, h - 1 - y
	case 5:
		return y, x
	case 6:
		return y, h - 1 - x
	case 7:
		return w - 1 - y, h - 1 - x
	default:
		return w - 1 - y, x
	}
}
