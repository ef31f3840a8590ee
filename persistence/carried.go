//go:build !mutate_carried

package persistence

// epochOf makes the expression of the epoch out of the one that names a history
// of this database: a history that was carried here keeps the name by which its
// clients know it, for as long as it is the same history.
func epochOf(history string) string {
	return "(SELECT COALESCE(k.value, own.name) FROM (SELECT " + history + " AS name) AS own" +
		" LEFT JOIN meta k ON k.name = '" + carriedName + "' || own.name)"
}
