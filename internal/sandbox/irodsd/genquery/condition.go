package genquery

import (
	"fmt"
	"strings"

	"omerods/internal/sandbox/irodsd/status"
)

// operators, longest first where one begins another. Words must be followed
// by something that is not a letter.
var operators = []string{
	"not like", "like", "between", "begin_of", "parent_of", "in",
	"n<=", "n>=", "n<", "n>", "n=", "<>", "<=", ">=", "=", "<", ">",
}

// term is one comparison of a condition, with how it is joined to the one
// before it: "", "AND" or "OR".
type term struct {
	join string
	op   string
	args []string
}

// parseCondition reads a condition such as
//
//	= 'a' || like 'b%'
//
// A value ends at the last quote before the next operator or the end, so a
// quote inside a value stands for itself.
func parseCondition(s string) ([]term, error) {
	var out []term
	rest := strings.TrimSpace(s)
	join := ""
	for {
		op, after, ok := cutOperator(rest)
		if !ok {
			return nil, status.Errorf(status.InvalidArgument, "condition %q has no operator", s)
		}
		text, next, nextJoin := splitTerm(after)
		args, ok := parseArgs(op, text)
		if !ok {
			return nil, status.Errorf(status.InvalidArgument, "condition %q has no quoted value", s)
		}
		out = append(out, term{join: join, op: op, args: args})
		if nextJoin == "" {
			return out, nil
		}
		rest, join = next, nextJoin
	}
}

func cutOperator(s string) (op, rest string, ok bool) {
	low := strings.ToLower(s)
	// "not   like" may be written with any blanks.
	if fields := strings.Fields(low); len(fields) > 1 && fields[0] == "not" && strings.HasPrefix(fields[1], "like") {
		i := strings.Index(low, "like")
		return "not like", strings.TrimSpace(s[i+4:]), true
	}
	for _, o := range operators {
		if !strings.HasPrefix(low, o) {
			continue
		}
		after := s[len(o):]
		if o[len(o)-1] >= 'a' && after != "" && isWord(after[0]) {
			continue
		}
		return o, strings.TrimSpace(after), true
	}
	return "", s, false
}

func isWord(c byte) bool {
	return c == '_' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

// splitTerm cuts s behind the value at the first "&&" or "||" that follows a
// closing quote or parenthesis and is followed by another operator.
func splitTerm(s string) (text, next, join string) {
	for i := 0; i+1 < len(s); i++ {
		two := s[i : i+2]
		if two != "&&" && two != "||" {
			continue
		}
		before := strings.TrimRight(s[:i], " \t\n")
		if !strings.HasSuffix(before, "'") && !strings.HasSuffix(before, ")") {
			continue
		}
		after := strings.TrimSpace(s[i+2:])
		_, value, ok := cutOperator(after)
		if !ok || !strings.HasPrefix(value, "'") && !strings.HasPrefix(value, "(") {
			continue
		}
		join = "AND"
		if two == "||" {
			join = "OR"
		}
		return before, after, join
	}
	return strings.TrimSpace(s), "", ""
}

func parseArgs(op, text string) ([]string, bool) {
	switch op {
	case "in":
		if !strings.HasPrefix(text, "(") || !strings.HasSuffix(text, ")") {
			return nil, false
		}
		return splitQuoted(text[1:len(text)-1], true)
	case "between":
		args, ok := splitQuoted(text, false)
		return args, ok && len(args) == 2
	}
	v, ok := unquote(text)
	return []string{v}, ok
}

func unquote(s string) (string, bool) {
	s = strings.TrimSpace(s)
	if len(s) < 2 || s[0] != '\'' || s[len(s)-1] != '\'' {
		return "", false
	}
	return s[1 : len(s)-1], true
}

// splitQuoted reads several quoted values, separated by commas or by blanks.
func splitQuoted(s string, comma bool) ([]string, bool) {
	var out []string
	s = strings.TrimSpace(s)
	for s != "" {
		if s[0] != '\'' {
			return nil, false
		}
		end := -1
		for i := 1; i < len(s) && end < 0; i++ {
			if s[i] != '\'' {
				continue
			}
			after := strings.TrimLeft(s[i+1:], " \t")
			switch {
			case after == "":
				end = i
			case comma && after[0] == ',' && strings.HasPrefix(strings.TrimLeft(after[1:], " \t"), "'"):
				end = i
			case !comma && after[0] == '\'':
				end = i
			}
		}
		if end < 0 {
			return nil, false
		}
		out = append(out, s[1:end])
		s = strings.TrimLeft(strings.TrimLeft(s[end+1:], " \t"), ",")
		s = strings.TrimSpace(s)
	}
	return out, len(out) > 0
}

// sqlFor writes one term over a column expression.
func (t term) sqlFor(expr string, upper bool) (string, []any) {
	args := make([]any, len(t.args))
	for i, a := range t.args {
		if upper {
			a = strings.ToUpper(a)
		}
		args[i] = a
	}
	if upper {
		expr = "UPPER(" + expr + ")"
	}
	switch t.op {
	case "like", "not like":
		return fmt.Sprintf(`%s %s ? ESCAPE '\'`, expr, strings.ToUpper(t.op)), args
	case "in":
		return fmt.Sprintf("%s IN (?%s)", expr, strings.Repeat(",?", len(args)-1)), args
	case "between":
		return fmt.Sprintf("%s BETWEEN ? AND ?", expr), args
	case "begin_of":
		return fmt.Sprintf("(length(%[1]s) > 0 AND substr(?, 1, length(%[1]s)) = %[1]s)", expr), args
	case "parent_of":
		return parentOf(expr, t.args[0])
	case "n<", "n>", "n=", "n<=", "n>=":
		return fmt.Sprintf("CAST(%s AS NUMERIC) %s CAST(? AS NUMERIC)", expr, t.op[1:]), args
	}
	return fmt.Sprintf("%s %s ?", expr, t.op), args
}

// parentOf matches a column that is the path or one of the collections above.
func parentOf(expr, path string) (string, []any) {
	args := []any{"/"}
	for i := 1; i <= len(path); i++ {
		if i == len(path) || path[i] == '/' {
			args = append(args, path[:i])
		}
	}
	return fmt.Sprintf("%s IN (?%s)", expr, strings.Repeat(",?", len(args)-1)), args
}
