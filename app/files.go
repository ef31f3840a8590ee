package app

import (
	"context"
	"path/filepath"
	"strings"
	"time"

	"fechatter/files"
	"fechatter/server"
)

// filesAddress returns where files are kept, "" for nowhere: several nodes must be told of a place
// that all of them have.
func (c Config) filesAddress() string {
	path, alone := strings.CutPrefix(c.Database, "sqlite:")
	if c.Files == "" && alone {
		return "folder:" + filepath.Join(filepath.Dir(path), "files")
	}
	return c.Files
}

// uploadsFolder returns where uploads in parts are kept.
func (c Config) uploadsFolder() string {
	if c.Uploads != "" {
		return c.Uploads
	}
	if path, ok := strings.CutPrefix(c.filesAddress(), "folder:"); ok {
		return filepath.Join(filepath.Dir(path), "uploads")
	}
	return filepath.Join("data", "uploads")
}

// openFiles opens what keeps the bytes of files, where there are any.
func (n *Node) openFiles(ctx context.Context) error {
	if n.config.filesAddress() == "" {
		n.log.Info("files are not kept: set files to s3://… or to a folder that all nodes share")
		return nil
	}
	store, err := files.Open(ctx, n.config.filesAddress())
	if err != nil {
		return err
	}
	instead, err := files.Claim(ctx, store, n.parts.store, newID, scheme(n.config.Database) == "sqlite")
	if err != nil {
		return err
	}
	if instead {
		n.log.Warn("the store of files is empty, and that of this database was another: copy its files there", "files", maskURL(n.config.filesAddress()))
	}
	uploads := n.config.uploadsFolder()
	n.library = files.NewLibrary(store, n.parts.store, newID, uploads, n.chat.Limits())
	n.health.files = n.library.Check
	n.uploads, err = files.NewUploads(uploads, n.library)
	return err
}

// filesLook is how often a node looks for files that are over.
const filesLook = time.Minute

// keepFiles deletes files that no message has, and uploads that came to nothing, until ctx ends.
func (n *Node) keepFiles(ctx context.Context) error {
	return every(ctx, filesLook, func() {
		swept, err := n.library.Sweep(ctx)
		if err == nil {
			err = n.uploads.Sweep()
		}
		switch {
		case ctx.Err() != nil:
		case err != nil:
			n.log.Warn("delete files that are over", "deleted", swept, "error", err)
		case swept > 0:
			n.log.Info("deleted files that are over", "deleted", swept)
		}
	})
}

// probeFiles asks the store of files. It is soft: people can chat without it.
func (h *health) probeFiles(ctx context.Context) {
	if h.files == nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, probeLimit)
	defer cancel()
	began := time.Now()
	err := h.files(ctx)
	h.note(server.HealthPart{Name: "files", Metric: "responseTime", Type: "component", Value: time.Since(began).Milliseconds(), Unit: "ms"}, false, err)
}
