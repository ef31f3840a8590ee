//go:build !mutate_later_version

package persistence

// keepsLaterVersions: a message that changed once more while it was indexed stays
// in the outbox.
const keepsLaterVersions = true
