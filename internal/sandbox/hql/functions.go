package hql

import (
	"math"
	"strings"
	"unicode/utf8"
)

// builtin is a function of the language. result anyType means the type of the
// first argument. Unless it says otherwise, a null argument gives null.
type builtin struct {
	required, optional []func(valueType) bool
	result             kind
	call               func(args []any) any
}

func isText(t valueType) bool    { return t.kind == stringType }
func isInteger(t valueType) bool { return t.kind == intType || t.kind == longType }
func isNumber(t valueType) bool  { return t.numeric() }
func isScalar(t valueType) bool {
	return t.numeric() || t.kind == stringType || t.kind == boolType || t.kind == timeType || t.kind == unitType
}

type is = []func(valueType) bool

var functions = map[string]builtin{
	"lower":     {is{isText}, nil, stringType, strict(func(a []any) any { return strings.ToLower(a[0].(string)) })},
	"upper":     {is{isText}, nil, stringType, strict(func(a []any) any { return strings.ToUpper(a[0].(string)) })},
	"trim":      {is{isText}, nil, stringType, strict(func(a []any) any { return strings.Trim(a[0].(string), " ") })},
	"length":    {is{isText}, nil, intType, strict(func(a []any) any { return int32(utf8.RuneCountInString(a[0].(string))) })},
	"substring": {is{isText, isInteger}, is{isInteger}, stringType, strict(substring)},
	"locate":    {is{isText, isText}, nil, intType, strict(locate)},
	"str":       {is{isScalar}, nil, stringType, strict(func(a []any) any { return textOf(a[0]) })},
	"abs":       {is{isNumber}, nil, anyType, strict(abs)},
	"sqrt":      {is{isNumber}, nil, doubleType, strict(func(a []any) any { return math.Sqrt(number(a[0])) })},
	"mod":       {is{isInteger, isInteger}, nil, intType, strict(mod)},
}

func strict(f func([]any) any) func([]any) any {
	return func(args []any) any {
		for _, a := range args {
			if a == nil {
				return nil
			}
		}
		return f(args)
	}
}

// concatenate joins its arguments; null makes all of it null, as || does.
func concatenate(args []any) any {
	var b strings.Builder
	for _, a := range args {
		if a == nil {
			return nil
		}
		b.WriteString(textOf(a))
	}
	return b.String()
}

func coalesce(args []any) any {
	for _, a := range args {
		if a != nil {
			return a
		}
	}
	return nil
}

func nullif(args []any) any {
	if args[0] != nil && args[1] != nil && compareValues(args[0], args[1]) == 0 {
		return nil
	}
	return args[0]
}

// substring counts characters from 1; what lies outside the text is empty.
func substring(args []any) any {
	text := []rune(args[0].(string))
	from := plain(args[1]).(int64) - 1
	to := int64(len(text))
	if len(args) == 3 {
		n := plain(args[2]).(int64)
		if n < 0 {
			return nil
		}
		to = min(to, from+n)
	}
	from = max(from, 0)
	if from >= to {
		return ""
	}
	return string(text[from:to])
}

func locate(args []any) any {
	i := strings.Index(args[1].(string), args[0].(string))
	if i < 0 {
		return int32(0)
	}
	return int32(utf8.RuneCountInString(args[1].(string)[:i]) + 1)
}

func abs(args []any) any {
	switch n := args[0].(type) {
	case int32:
		return max(n, -n)
	case int64:
		return max(n, -n)
	case float64:
		return math.Abs(n)
	}
	return nil
}

func mod(args []any) any {
	d := plain(args[1]).(int64)
	if d == 0 {
		return nil
	}
	return int32(plain(args[0]).(int64) % d)
}
