//go:build !mutate_joined_later

package server

// resetJoinedLater says that a resume by token resets the chats that were joined
// after the token was written: their events up to now may or may not have come.
const resetJoinedLater = true
