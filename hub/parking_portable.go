//go:build !linux || portable

package hub

import "errors"

// lot does not exist here: every reader waits on a goroutine of its own.
type lot struct{}

func newLot() (*lot, error) { return nil, errors.ErrUnsupported }

func (w *Wire) mayPark() bool { return false }

func (l *lot) run()                   {}
func (l *lot) enter(*Wire) number     { return number{} }
func (l *lot) leave(number)           {}
func (l *lot) watch(*Wire, bool) bool { return false }
func (l *lot) close()                 {}
