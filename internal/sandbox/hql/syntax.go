package hql

// query is the syntax tree of one select, top level or nested.
type query struct {
	distinct bool
	items    []selectItem // empty when the query has no select clause
	from     []fromItem
	where    expr
	group    []expr
	having   expr
	order    []orderItem
	start    token
}

type selectItem struct {
	x     expr
	alias string
	// entries holds the members of `new map(...)`; x is nil then.
	entries []selectItem
	isMap   bool
	isList  bool
}

// fromItem is a root (an entity or, in a subquery, a collection of an outer
// alias) or a join.
type fromItem struct {
	path  *pathExpr
	alias string
	join  bool
	outer bool
	fetch bool
	with  expr
}

type orderItem struct {
	x    expr
	desc bool
}

// expr is a node of an expression as written.
type expr interface{ tok() token }

type node struct{ at token }

func (n node) tok() token { return n.at }

type (
	// pathExpr is a dotted name: a property path, a class name, a constant.
	pathExpr struct {
		node
		parts []string
	}
	litExpr struct {
		node
		value any
	}
	paramExpr struct {
		node
		name string
	}
	binExpr struct {
		node
		op   string // + - * / % || and or = <> < <= > >= like
		l, r expr
	}
	notExpr struct {
		node
		x expr
	}
	negExpr struct {
		node
		x expr
	}
	likeExpr struct {
		node
		x, pattern, escape expr
	}
	nullExpr struct { // is [not] null; the negation is a notExpr around it
		node
		x expr
	}
	emptyExpr struct {
		node
		path *pathExpr
	}
	memberExpr struct {
		node
		x    expr
		path *pathExpr
	}
	betweenExpr struct {
		node
		x, lo, hi expr
	}
	inExpr struct {
		node
		x    expr
		list []expr
		sub  *query
	}
	existsExpr struct {
		node
		sub *query
	}
	subExpr struct {
		node
		sub        *query
		quantifier string // "", "all", "any"
	}
	callExpr struct {
		node
		name     string // lower case
		args     []expr
		distinct bool
		star     bool
	}
	caseExpr struct {
		node
		operand expr // nil for a searched case
		when    []expr
		then    []expr
		other   expr
	}
	castExpr struct {
		node
		x  expr
		to string
	}
)
