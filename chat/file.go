package chat

import (
	"context"
	"strings"
	"time"
	"unicode/utf8"
)

// File is bytes that somebody has uploaded, and what is known of them. It does not change.
type File struct {
	ID         string `json:"id"`
	Name       string `json:"name"`
	MediaType  string `json:"media_type"`
	Size       int64  `json:"size"` // in bytes
	SHA256     string `json:"sha256"`
	Width      int    `json:"width,omitempty"` // of a picture as it is shown, in pixels
	Height     int    `json:"height,omitempty"`
	DurationMS int64  `json:"duration_ms,omitempty"`
	Thumb      bool   `json:"thumb"` // whether it can be had small
	CreatedAt  Time   `json:"created_at"`
	UploadedBy string `json:"uploaded_by"`
}

// ChatFile is a file and the message of a chat that has it.
type ChatFile struct {
	File      File   `json:"file"`
	MessageID string `json:"message_id"`
	Seq       int64  `json:"seq"`
}

const (
	// FileKept is how long a file is kept that no message has.
	FileKept = 24 * time.Hour
	// fileHeld is how long a file outlives the look at it by which a message gets it: longer than
	// any send takes.
	fileHeld = 10 * time.Minute
	// maxFileName is the longest name, in bytes, as on most file systems.
	maxFileName = 255
)

// FileStore keeps what is known of files. Their bytes are elsewhere.
type FileStore interface {
	// BeginFile notes a file whose bytes are about to be stored, for as long as lasts, and returns
	// when. Until FinishFile nobody can see it. Errors: as AdmitFile decides about what the
	// uploader has.
	BeginFile(ctx context.Context, f File, lasts time.Duration, most int64) (Time, error)
	// FinishFile says that its bytes are stored.
	FinishFile(ctx context.Context, id string) error
	// File returns a file that the user has uploaded, or that a message of their chats has.
	// Errors: not_found.
	File(ctx context.Context, userID, id string) (File, error)
	// HoldFiles is File for several at once, in the order of ids, and keeps each for as long as
	// lasts at least.
	HoldFiles(ctx context.Context, userID string, ids []string, lasts time.Duration) ([]File, error)
	// ChatFiles lists files of a chat, newest first, for a member. Errors: not_found.
	ChatFiles(ctx context.Context, userID, chatID string, q FileQuery) (files []ChatFile, more bool, err error)
	// DoomFiles marks files that no message has and whose time is over, and returns those that are
	// marked. Nobody sees or holds them any more.
	DoomFiles(ctx context.Context, limit int) (ids []string, err error)
	// DropFile forgets a file whose bytes are gone.
	DropFile(ctx context.Context, id string) error
}

// FileQuery selects files of a chat.
type FileQuery struct {
	Before int64  // seq of messages; 0: from the newest
	Kind   string // image, video, audio, document; "" for all
	Limit  int
}

// AdmitFile decides about one more file of a user who has so many bytes; most is 0 for no limit.
func AdmitFile(have, size, most int64) error {
	if most > 0 && have+size > most {
		return Errorf(TooLarge, "your files take %d bytes of the %d that you may store: delete some first", have, most)
	}
	return nil
}

// CleanFileName returns a name for a file without folders and without what draws nothing, or turns
// the direction of what follows.
func CleanFileName(name string) string {
	name = strings.ToValidUTF8(name, "")
	name = CleanLine(strings.ReplaceAll(name[strings.LastIndexAny(name, `/\`)+1:], "\x00", ""))
	if name = strings.TrimLeft(name, ". "); name == "" {
		return "file"
	}
	if len(name) <= maxFileName {
		return name
	}
	end := ""
	if i := strings.LastIndexByte(name, '.'); i > 0 && len(name)-i <= 16 {
		end = name[i:]
	}
	cut := maxFileName - len(end)
	for !utf8.RuneStart(name[cut]) {
		cut--
	}
	return name[:cut] + end
}

// FileKind is what a media type is to a person: image, video, audio or document.
func FileKind(mediaType string) string {
	switch kind, _, _ := strings.Cut(mediaType, "/"); kind {
	case "image", "video", "audio":
		return kind
	default:
		return "document"
	}
}

// File returns a file that the user may see. Errors: not_found.
func (s *Service) File(ctx context.Context, userID, id string) (File, error) {
	if !ValidID(id) {
		return File{}, NoFile()
	}
	return s.store.File(ctx, userID, id)
}

// NoFile is what somebody is told who may not know whether there is such a file.
func NoFile() *Error { return Errorf(NotFound, "no such file") }

// ChatFiles lists the files of a chat, newest first. Errors: not_found, bad_request.
func (s *Service) ChatFiles(ctx context.Context, userID, chatID string, q FileQuery) (files []ChatFile, more bool, err error) {
	switch {
	case !ValidID(chatID):
		return nil, false, noChat()
	case q.Before < 0:
		return nil, false, Errorf(BadRequest, "a seq must not be negative")
	}
	switch q.Kind {
	case "", "image", "video", "audio", "document":
	default:
		return nil, false, Errorf(BadRequest, "type must be image, video, audio or document")
	}
	return s.store.ChatFiles(ctx, userID, chatID, q)
}

// validAttachments checks how a send names its files.
func (s *Service) validAttachments(ids []string) error {
	if len(ids) > s.limits.Attachments {
		return Errorf(TooLarge, "a message can have at most %d attachments", s.limits.Attachments)
	}
	seen := map[string]bool{}
	for _, id := range ids {
		if !ValidID(id) {
			return NoFile()
		}
		if seen[id] {
			return Errorf(BadRequest, "an attachment is named twice")
		}
		seen[id] = true
	}
	return nil
}

// attach looks up the files of a send. One that was stored before is answered by its key, though
// its files may be gone by now.
func (s *Service) attach(ctx context.Context, m *Send) (sent Sent, known bool, err error) {
	if len(m.Attachments) == 0 {
		return Sent{}, false, nil
	}
	m.Files, err = s.store.HoldFiles(ctx, m.SenderID, m.Attachments, fileHeld)
	if CodeOf(err) != NotFound {
		return Sent{}, false, err
	}
	if sent, found := s.store.SentByKey(ctx, *m); CodeOf(found) != NotFound {
		return sent, true, found
	}
	return Sent{}, false, err
}
