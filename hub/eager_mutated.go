//go:build mutate_eager

package hub

// personalIsEager is broken on purpose: personal streams back off like chats.
const personalIsEager = false
