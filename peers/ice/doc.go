// Package ice tries internal/ice and the sandbox's Ice server against Ice's own
// runtime: the client against Glacier2's router with a server in Python behind
// it, the server against a client in Python. Its tests have the build tag peer.
package ice
