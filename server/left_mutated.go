//go:build mutate_left

package server

const rememberLeft = false
