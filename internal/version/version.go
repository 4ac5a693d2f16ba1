// Package version holds what this build calls itself.
package version

// Version is set when the program is linked; "unknown" for a plain go build.
var Version = "unknown"
