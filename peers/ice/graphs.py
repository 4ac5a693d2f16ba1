"""Graphs of class instances, for the server and the client of these tests.

graphs_test.go does the same in Go.
"""

import peer


def describe(root):
    """Each instance once, in the order of a walk, with what it refers to."""
    found = []

    def number(o):
        if o is None:
            return "nil"
        if not isinstance(o, peer.Node):
            return o.ice_id()
        for i, known in enumerate(found):
            if known is o:
                return str(i)
        found.append(o)
        return str(len(found) - 1)

    lines = []
    number(root)
    while len(lines) < len(found):
        n = found[len(lines)]
        line = "%s %s next=%s children=[%s] named={%s}" % (
            n.ice_id(), n.name, number(n.next), " ".join(number(c) for c in n.children),
            " ".join(k + ":" + number(v) for k, v in sorted(n.named.items())))
        if isinstance(n, peer.Leaf):
            line += " weight=%g" % n.weight
        if isinstance(n, peer.Flower):
            line += " hue=%s other=%s" % (n.hue, number(n.other))
        lines.append(line)
    return lines


def build():
    """A graph with a cycle, shared instances, nil and one's own self."""
    a = peer.Flower("a", None, [], {}, 1.5, peer.Color.blue, peer.Nothing())
    b = peer.Leaf("b", a, [], {}, -0.25)
    c = peer.Node("c", None, [], {})
    a.next = b
    a.children = [b, c, b, None, a]
    c.named = {"a": a, "c": c, "none": None}
    b.children = [peer.Flower("d", c, [], {}, 0, peer.Color.red, c)]
    return a


def hide(deep):
    """An instance whose class only the server knows, with others behind it."""
    seen = peer.Node("seen", None, [], {})
    riddle = peer.Riddle("what is it?", seen) if deep else None
    flower = peer.Flower("flower", seen, [], {}, 1, peer.Color.green, riddle)
    hidden = peer.Hidden("hidden", flower, [seen], {}, 2.5, riddle, seen, "not for you")
    seen.next = hidden
    return hidden
