package server

import (
	"bytes"
	"crypto/sha1" //nolint:gosec // of tus
	"encoding/base64"
	"encoding/json"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"

	"fechatter/files"
)

// raw sends bytes, and returns the answer as bytes; headers come in pairs.
func (p *person) raw(method, path, body string, headers ...string) *httptest.ResponseRecorder {
	p.n.t.Helper()
	r := httptest.NewRequest(method, v1+path, strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer "+p.token)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	return serve(p.n.handler, r)
}

// upload posts a file and returns it.
func (p *person) upload(name, mediaType, body string) answer {
	p.n.t.Helper()
	w := p.raw("POST", "/files?name="+name, body, "Content-Type", mediaType)
	a := answer{status: w.Code, header: w.Header(), raw: w.Body.Bytes()}
	if err := json.Unmarshal(a.raw, &a.body); err != nil {
		p.n.t.Fatalf("%s: %v in %q", name, err, a.raw)
	}
	return a
}

func photo(width, height int) string {
	picture := image.NewRGBA(image.Rect(0, 0, width, height))
	for x := range width {
		picture.Set(x, height/2, color.White)
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, picture, nil); err != nil {
		panic(err)
	}
	// The place where it was taken, as cameras put it behind the beginning.
	exif := "Exif\x00\x00MM\x00*\x00\x00\x00\x08\x00\x01\x01\x12\x00\x03\x00\x00\x00\x01\x00\x06\x00\x00\x00\x00\x00\x00GPS 52.5N 13.4E"
	return b.String()[:2] + "\xff\xe1" + string([]byte{0, byte(len(exif) + 2)}) + exif + b.String()[2:]
}

// TestPhotoIsCleaned: what is given out has neither the place nor anything else about the camera,
// and the sizes are those of the picture as it is shown.
func TestPhotoIsCleaned(t *testing.T) {
	n := newNode(t, nil)
	ann := n.person("ann")
	f := ann.upload("beach.jpg", "image/jpeg", photo(640, 400))
	if f.status != 201 || f.field("width") != "400" || f.field("height") != "640" || f.field("thumb") != "true" || f.field("media_type") != "image/jpeg" {
		t.Fatalf("%d %s", f.status, f.raw)
	}
	content := ann.raw("GET", "/files/"+f.field("id")+"/content", "")
	if body := content.Body.String(); content.Code != 200 || strings.Contains(body, "GPS") || strconv.Itoa(len(body)) != f.field("size") {
		t.Errorf("%d, %d bytes", content.Code, len(body))
	}
	for _, size := range files.Sizes {
		thumb := ann.raw("GET", "/files/"+f.field("id")+"/thumb?size="+strconv.Itoa(size), "")
		config, err := jpeg.DecodeConfig(thumb.Body)
		if err != nil || config.Height != min(size, 640) || config.Width != config.Height*400/640 {
			t.Errorf("of %d: %d × %d, %v", size, config.Width, config.Height, err)
		}
	}
}

// TestContentCannotAct: whatever a file is and is said to be, no browser runs it as a page of this
// origin.
func TestContentCannotAct(t *testing.T) {
	n := newNode(t, nil)
	ann := n.person("ann")
	var tiny bytes.Buffer
	if err := png.Encode(&tiny, image.NewGray(image.Rect(0, 0, 1, 1))); err != nil {
		t.Fatal(err)
	}
	script := "<script>alert(1)</script>"
	for name, c := range map[string]struct{ said, body, kind, way string }{
		"page.html":   {"text/html", "<html>" + script, "application/octet-stream", "attachment"},
		"drawing.svg": {"image/svg+xml", "<svg>" + script + "</svg>", "application/octet-stream", "attachment"},
		"a.xml":       {"application/xml", "<a/>", "application/octet-stream", "attachment"},
		"liar.png":    {"image/png", "<html>" + script, "application/octet-stream", "attachment"},
		"odd.bin":     {"text/html; charset=\"", script, "application/octet-stream", "attachment"},
		"fine.png":    {"text/html", tiny.String() + script, "image/png", "inline"},
		"paper.pdf":   {"text/plain", "%PDF-1.7 " + script, "application/pdf", "inline"},
		"bent.gif":    {"image/gif", "GIF89a" + script, "application/octet-stream", "attachment"},
	} {
		f := ann.upload(name, c.said, c.body)
		got := ann.raw("GET", "/files/"+f.field("id")+"/content", "")
		h := got.Header()
		if got.Code != 200 || h.Get("Content-Type") != c.kind || !strings.HasPrefix(h.Get("Content-Disposition"), c.way+";") ||
			h.Get("X-Content-Type-Options") != "nosniff" || h.Get("Content-Security-Policy") != "sandbox; default-src 'none'" {
			t.Errorf("%s: %d %v", name, got.Code, h)
		}
		if strings.HasSuffix(name, ".png") && c.kind == "image/png" && strings.Contains(got.Body.String(), "script") {
			t.Errorf("%s keeps what is behind the picture", name)
		}
	}
}

func TestFileNames(t *testing.T) {
	ann := newNode(t, nil).person("ann")
	for said, want := range map[string]string{
		"..%2F..%2Fetc%2Fpasswd": "passwd", "C%3A%5Cfakepath%5Ccv.doc": "cv.doc", "": "file", "..": "file", ".htaccess": "htaccess",
		"in%E2%80%AEfdp.exe": "infdp.exe", "a%00b%0D%0Ac.txt": "ab c.txt", "%E5%9B%BE%E7%89%87.png": "图片.png",
		strings.Repeat("%C3%A4", 200) + ".tar": strings.Repeat("ä", 125) + ".tar",
	} {
		f := ann.upload(said, "text/plain", "x")
		if f.field("name") != want {
			t.Errorf("%s became %q, want %q", said, f.field("name"), want)
		}
		way := ann.raw("GET", "/files/"+f.field("id")+"/content", "").Header().Get("Content-Disposition")
		if strings.ContainsAny(way, "\r\n\x00") || strings.Count(way, `"`) != 2 {
			t.Errorf("%s: %q", said, way)
		}
	}
}

func TestFileRefusals(t *testing.T) {
	n := newNode(t, nil)
	ann, bob := n.person("ann"), n.person("bob")
	if a := ann.upload("empty", "text/plain", ""); a.status != 400 {
		t.Errorf("nothing: %d", a.status)
	}
	if a := ann.upload("large", "text/plain", strings.Repeat("x", postedFileBytes+1)); a.status != 413 {
		t.Errorf("too much: %d", a.status)
	}
	f := ann.upload("mine", "text/plain", "0123456789")
	path := "/files/" + f.field("id") + "/content"
	if got := bob.raw("GET", path, ""); got.Code != 404 {
		t.Errorf("another's: %d", got.Code)
	}
	for asked, want := range map[string]struct {
		status int
		body   string
	}{"bytes=2-4": {206, "234"}, "bytes=-2": {206, "89"}, "bytes=8-99": {206, "89"}, "bytes=10-": {416, ""}} {
		if got := ann.raw("GET", path, "", "Range", asked); got.Code != want.status || want.body != "" && got.Body.String() != want.body {
			t.Errorf("%s: %d %q", asked, got.Code, got.Body)
		}
	}
	tag := ann.raw("GET", path, "").Header().Get("ETag")
	if got := ann.raw("GET", path, "", "If-None-Match", tag); got.Code != 304 || tag != `"`+f.field("sha256")+`"` {
		t.Errorf("known: %d, tag %s", got.Code, tag)
	}
	chat := bob.want(201, "POST", "/chats", object{"kind": "group", "name": "g"}).field("id")
	if a := bob.do("POST", "/chats/"+chat+"/messages", object{"attachments": []string{f.field("id")}}, "Idempotency-Key", "k"); a.status != 404 {
		t.Errorf("attached by another: %d", a.status)
	}
}

// TestUploadInParts goes on where it was interrupted, and tells what it has become, also to whoever
// did not hear it at once.
func TestUploadInParts(t *testing.T) {
	n := newNode(t, nil)
	ann, bob := n.person("ann"), n.person("bob")
	tus := func(who *person, method, path, body string, headers ...string) *httptest.ResponseRecorder {
		return who.raw(method, path, body, append([]string{"Tus-Resumable", "1.0.0", "Content-Type", "application/offset+octet-stream"}, headers...)...)
	}
	name := base64.StdEncoding.EncodeToString([]byte("notes.txt"))
	made := tus(ann, "POST", "/uploads", "0123", "Upload-Length", "10", "Upload-Metadata", "filename "+name)
	place := strings.TrimPrefix(made.Header().Get("Location"), v1)
	if made.Code != 201 || !strings.HasPrefix(place, "/uploads/") || made.Header().Get("Upload-Offset") != "4" || made.Header().Get("Upload-Expires") == "" {
		t.Fatalf("%d %v", made.Code, made.Header())
	}
	for _, method := range []string{"HEAD", "PATCH", "DELETE"} {
		if got := tus(bob, method, place, "", "Upload-Offset", "4"); got.Code != 404 {
			t.Errorf("%s of another's: %d", method, got.Code)
		}
	}
	if got := tus(ann, "PATCH", place, "9", "Upload-Offset", "9"); got.Code != 409 {
		t.Errorf("from another place: %d", got.Code)
	}
	sum := sha1.Sum([]byte("4567")) //nolint:gosec // of tus
	said := "sha1 " + base64.StdEncoding.EncodeToString(sum[:])
	if got := tus(ann, "PATCH", place, "456X", "Upload-Offset", "4", "Upload-Checksum", said); got.Code != 460 {
		t.Errorf("a damaged part: %d", got.Code)
	}
	if got := tus(ann, "PATCH", place, "4567", "Upload-Offset", "4", "Upload-Checksum", said); got.Code != 204 || got.Header().Get("Upload-Offset") != "8" {
		t.Errorf("a part: %d %v", got.Code, got.Header())
	}
	if got := tus(ann, "HEAD", place, ""); got.Code != 200 || got.Header().Get("Upload-Offset") != "8" || got.Header().Get(files.FileHeader) != "" {
		t.Errorf("how far: %d %v", got.Code, got.Header())
	}
	end := tus(ann, "PATCH", place, "89", "Upload-Offset", "8")
	id := end.Header().Get(files.FileHeader)
	if end.Code != 204 || id == "" {
		t.Fatalf("the end: %d %v %s", end.Code, end.Header(), end.Body)
	}
	if got := tus(ann, "HEAD", place, ""); got.Header().Get(files.FileHeader) != id || got.Header().Get("Upload-Offset") != "10" {
		t.Errorf("what it became: %d %v", got.Code, got.Header())
	}
	if f := ann.want(200, "GET", "/files/"+id, nil); f.field("name") != "notes.txt" || f.field("size") != "10" {
		t.Errorf("it became %s", f.raw)
	}
	if got := ann.raw("GET", "/files/"+id+"/content", ""); got.Body.String() != "0123456789" {
		t.Errorf("it has %q", got.Body)
	}
	for size, want := range map[string]int{"0": 400, "-1": 400, "x": 400, "104857601": 413} {
		if got := tus(ann, "POST", "/uploads", "", "Upload-Length", size); got.Code != want {
			t.Errorf("of %s bytes: %d", size, got.Code)
		}
	}
	if got := tus(ann, "POST", "/uploads", "", "Upload-Length", "5"); got.Code == 201 {
		place := strings.TrimPrefix(got.Header().Get("Location"), v1)
		if got := tus(ann, "DELETE", place, ""); got.Code != http.StatusNoContent {
			t.Errorf("given up: %d", got.Code)
		}
		if got := tus(ann, "HEAD", place, ""); got.Code != 404 {
			t.Errorf("after it was given up: %d", got.Code)
		}
	}
}

// TestAttachments travel with their message, and end with it.
func TestAttachments(t *testing.T) {
	n := newNode(t, nil)
	ann, bob := n.person("ann"), n.person("bob")
	chat := ann.chat("group", bob)
	id := ann.upload("a.txt", "text/plain", "hello").field("id")
	m := ann.want(201, "POST", "/chats/"+chat+"/messages", object{"attachments": []string{id}}, "Idempotency-Key", uuid.NewString())
	if got := m.list(t, "attachments"); len(got) != 1 || got[0]["id"] != id || m.field("body") != "" {
		t.Errorf("the message is %s", m.raw)
	}
	if got := bob.raw("GET", "/files/"+id+"/content", ""); got.Code != 200 || got.Body.String() != "hello" {
		t.Errorf("bob gets %d", got.Code)
	}
	if page := bob.want(200, "GET", "/chats/"+chat+"/files?type=document", nil).list(t, "files"); len(page) != 1 || page[0]["message_id"] != m.field("id") {
		t.Errorf("the files are %v", page)
	}
	ann.want(200, "DELETE", "/chats/"+chat+"/members/"+bob.id, nil)
	if got := bob.raw("GET", "/files/"+id+"/content", ""); got.Code != 404 {
		t.Errorf("after bob was removed: %d", got.Code)
	}
	ann.want(200, "DELETE", "/messages/"+m.field("id"), nil)
	if got := ann.want(200, "GET", "/messages/"+m.field("id"), nil); got.body["attachments"] != nil {
		t.Errorf("deleted: %s", got.raw)
	}
}

// timed is an answer on a connection with deadlines.
type timed struct {
	*httptest.ResponseRecorder
	read, write time.Time
}

func (t *timed) SetReadDeadline(at time.Time) error  { t.read = at; return nil }
func (t *timed) SetWriteDeadline(at time.Time) error { t.write = at; return nil }

// TestSlowUploadHasTime: whoever goes on sending is not cut off, nor left without an answer.
func TestSlowUploadHasTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &timed{ResponseRecorder: httptest.NewRecorder()}
		body := paced(w, io.NopCloser(strings.NewReader("ab")))
		for range 3 {
			time.Sleep(silence - time.Second)
			began := time.Now()
			_, _ = body.Read(make([]byte, 1)) // the end is an error, too
			if w.read.Sub(began) != silence || w.write.Sub(w.read) != uploadTimeout {
				t.Errorf("%s to read, %s to answer", w.read.Sub(began), w.write.Sub(began))
			}
		}
	})
}
