// Package check judges what clients recorded against what the database holds in
// the end: the promises of the wire contract, one file each. It is a pure
// function of the two, in time linear but for sorting, and knows neither the
// server nor how the recording came about.
//
// Every check has a twin under a build tag that removes it, and a test that must
// then fail (mutations.txt).
package check
