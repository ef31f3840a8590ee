// Package web holds the browser page: its TypeScript sources, and the built page
// embedded in the binary, served with the headers that keep it safe.
//
// It knows nothing of chats, users or the protocol on the Go side: the page talks
// to the server as any other client does.
package web

import (
	"embed"
	"io/fs"
)

//go:embed all:dist
var dist embed.FS

// Files returns the built page, index.html at its root, and whether one was built
// before the binary was.
func Files() (fs.FS, bool) {
	files, err := fs.Sub(dist, "dist")
	if err != nil {
		return dist, false
	}
	_, err = fs.Stat(files, "index.html")
	return files, err == nil
}
