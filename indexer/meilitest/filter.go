package meilitest

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

type predicate func(Document) bool

// filter reads conditions that must all be met.
func (i *index) filter(conditions []string) (predicate, *failure) {
	var all []predicate
	for _, c := range conditions {
		p, problem := i.condition(c)
		if problem != "" {
			return nil, invalid("invalid_search_filter", "%s", problem)
		}
		all = append(all, p)
	}
	return func(d Document) bool {
		return !slices.ContainsFunc(all, func(p predicate) bool { return !p(d) })
	}, nil
}

// condition reads `attribute IN ["a","b"]` or `attribute <operator> value`. Values are
// in the form that the syntax has in common with JSON; anything else is refused.
func (i *index) condition(text string) (predicate, string) {
	parts := regexp.MustCompile(`(?s)^(\w+) (IN|>=|=|<) (.+)$`).FindStringSubmatch(text)
	if parts == nil {
		return nil, "Was expecting an operation `=`, `>=`, `<`, `IN` at `" + text + "`."
	}
	attribute, operator := parts[1], parts[2]
	if !i.has("filterableAttributes", attribute) {
		return nil, "Attribute `" + attribute + "` is not filterable."
	}
	decoder := json.NewDecoder(strings.NewReader(parts[3]))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil || decoder.More() {
		return nil, "Was expecting a value at `" + parts[3] + "`."
	}
	values, isList := value.([]any)
	if isList != (operator == "IN") {
		return nil, "Was expecting another value at `" + parts[3] + "`."
	}
	if !isList {
		values = []any{value}
	}
	return func(d Document) bool {
		return slices.ContainsFunc(values, func(v any) bool { return compare(d, attribute, operator, v) })
	}, ""
}

// compare ignores the case of text, as Meilisearch does.
func compare(d Document, attribute, operator string, value any) bool {
	number, _ := value.(json.Number)
	bound, _ := number.Int64()
	switch operator {
	case ">=":
		return d.Int(attribute) >= bound
	case "<":
		return d.Int(attribute) < bound
	}
	return strings.EqualFold(fmt.Sprint(d[attribute]), fmt.Sprint(value))
}
