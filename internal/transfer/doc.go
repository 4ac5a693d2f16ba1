// Package transfer turns copies into saves and loads: it recognises a pack
// that arrives somewhere, keeps its state, checks every file against the
// pack's manifest, and says in both systems how it ended.
//
// It talks to the two sides through small interfaces which the views
// implement, so it knows neither server's protocol.
package transfer
