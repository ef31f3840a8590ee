//go:build mutate_joined_later

package server

const resetJoinedLater = false
