//go:build mutate_told

package server

const attachWhereTold = false
