// Package ice speaks the Ice protocol, version 1.0, as a client: Slice
// definitions read at run time, the encodings 1.0 and 1.1, connections over
// tcp, TLS and WebSocket, and sessions through a Glacier2 router.
//
// There is no generated code. Slice files are parsed by ParseSlice; the
// Definitions that result drive encoding and decoding, and Slice values are
// plain Go values:
//
//	bool, byte, short, int, long   bool, byte, int16, int32, int64
//	float, double, string          float32, float64, string
//	enum                           int32
//	sequence<byte>                 []byte
//	sequence<bool>, <int>, <long>  []bool, []int32, []int64
//	sequence<double>, <string>     []float64, []string
//	any other sequence             []any
//	dictionary                     Dict
//	struct                         *Record
//	class                          *Object, or an untyped nil
//	proxy                          *Proxy, or an untyped nil
//
// The package knows nothing of any application; it is told everything by the
// Slice definitions it is given.
package ice
