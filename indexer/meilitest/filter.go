package meilitest

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

type predicate func(Document) bool

// filter reads a filter: conditions that must all be met, or one. It gives what
// Meilisearch would say of one that it does not take.
func (i *index) filter(value any) (predicate, string) {
	var conditions []any
	switch v := value.(type) {
	case nil:
	case []any:
		conditions = v
	default:
		conditions = []any{v}
	}
	var all []predicate
	for _, c := range conditions {
		text, ok := c.(string)
		if !ok {
			return nil, fmt.Sprintf("Invalid syntax for the filter parameter: `expected String, found: %v`.", c)
		}
		p, problem := i.condition(text)
		if problem != "" {
			return nil, problem
		}
		all = append(all, p)
	}
	return func(d Document) bool {
		for _, p := range all {
			if !p(d) {
				return false
			}
		}
		return true
	}, ""
}

// condition reads `attribute IN [a, b]` or `attribute <operator> value`.
func (i *index) condition(text string) (predicate, string) {
	parts := regexp.MustCompile(`(?s)^\s*(\w+)\s*(IN|>=|<=|!=|=|<|>)\s*(.*?)\s*$`).FindStringSubmatch(text)
	if parts == nil {
		return nil, "Was expecting an operation `=`, `!=`, `>=`, `>`, `<=`, `<`, `IN` at `" + text + "`."
	}
	attribute, operator, rest := parts[1], parts[2], parts[3]
	if !i.has("filterableAttributes", attribute) {
		return nil, "Attribute `" + attribute + "` is not filterable."
	}
	values, ok := operands(operator, rest)
	if !ok {
		return nil, "Was expecting a value at `" + rest + "`."
	}
	return func(d Document) bool {
		for _, v := range values {
			if compare(d[attribute], operator, v) {
				return true
			}
		}
		return false
	}, ""
}

// operands reads one value, or a list in brackets: text in quotes, a number or a
// bare word each.
func operands(operator, text string) ([]string, bool) {
	if operator != "IN" {
		v, rest, ok := operand(text)
		return []string{v}, ok && rest == ""
	}
	text, open := strings.CutPrefix(text, "[")
	text, shut := strings.CutSuffix(text, "]")
	if !open || !shut {
		return nil, false
	}
	var values []string
	for strings.TrimSpace(text) != "" {
		v, rest, ok := operand(text)
		if !ok || rest != "" && rest[0] != ',' {
			return nil, false
		}
		values = append(values, v)
		text = strings.TrimPrefix(rest, ",")
	}
	return values, true
}

func operand(text string) (value, rest string, ok bool) {
	text = strings.TrimSpace(text)
	if strings.HasPrefix(text, `"`) {
		quoted, err := strconv.QuotedPrefix(text)
		if err != nil {
			return "", "", false
		}
		value, err = strconv.Unquote(quoted)
		return value, strings.TrimSpace(text[len(quoted):]), err == nil
	}
	bare := regexp.MustCompile(`^[\w.-]+`).FindString(text)
	return bare, strings.TrimSpace(text[len(bare):]), bare != ""
}

// compare compares text without regard to case, as Meilisearch does.
func compare(field any, operator, value string) bool {
	text := fmt.Sprint(field)
	if field == nil {
		return false
	}
	if operator == "=" || operator == "IN" {
		return strings.EqualFold(text, value)
	}
	if operator == "!=" {
		return !strings.EqualFold(text, value)
	}
	number, isNumber := field.(json.Number)
	a, err := number.Float64()
	b, bad := strconv.ParseFloat(value, 64)
	if !isNumber || err != nil || bad != nil {
		return false
	}
	return operator == "<" && a < b || operator == ">" && a > b || operator == "<=" && a <= b || operator == ">=" && a >= b
}
