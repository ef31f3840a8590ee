//go:build mutate_later_version

package persistence

const keepsLaterVersions = false
