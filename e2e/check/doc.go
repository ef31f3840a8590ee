// Package check judges what clients recorded against what the database holds in
// the end: the promises of the wire contract, one function each. It is a pure
// function of the two, linear in time but for sorting, and knows neither the
// server nor how the recording was made.
package check
