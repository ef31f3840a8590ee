package indexer

import "errors"

// Damaged reports whether an error of checking files is evidence of damage.
func Damaged(err error) bool { return errors.Is(damage(err), errDamaged) }
