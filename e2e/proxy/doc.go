// Package proxy stands between two programs and spoils what passes: a TCP proxy that
// refuses, holds, delays, cuts and resets, and for NATS one that loses, doubles and
// reorders whole messages. It knows bytes and the frames of NATS, not what they mean.
package proxy
