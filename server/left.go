//go:build !mutate_left

package server

// rememberLeft says that a removal of which the personal stream tells is kept
// while the chat's own stream has not come to it: if that is reset instead, the
// client is told from here.
const rememberLeft = true
