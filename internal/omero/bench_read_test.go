package omero_test

import (
	"crypto/sha1"
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
	"net"
	"os"
	"sync"
	"testing"

	"omerods/internal/omero"
	"omerods/internal/turns"
)

// plainBytes is how much the plain copy reads and writes at once.
const plainBytes = 1 << 20

// copyPart writes the part of the file that the client asks for.
func copyPart(nc net.Conn, path string) {
	defer nc.Close()
	var ask [16]byte
	if _, err := io.ReadFull(nc, ask[:]); err != nil {
		return
	}
	off, n := int64(binary.LittleEndian.Uint64(ask[:])), int64(binary.LittleEndian.Uint64(ask[8:]))
	f, err := os.Open(path)
	if err != nil {
		return
	}
	defer f.Close()
	// What is cut off shows at the client, which counts.
	_, _ = io.CopyBuffer(struct{ io.Writer }{nc}, io.NewSectionReader(f, off, n), make([]byte, plainBytes))
}

// plain reads a part of the file from the plain server.
func (s *benchServer) plain(b *testing.B, cfg *tls.Config, off, n int64, sum hash.Hash) {
	nc, err := tls.Dial("tcp", s.Plain, cfg)
	if err != nil {
		b.Error(err)
		return
	}
	defer nc.Close()
	ask := binary.LittleEndian.AppendUint64(binary.LittleEndian.AppendUint64(nil, uint64(off)), uint64(n))
	if _, err := nc.Write(ask); err != nil {
		b.Error(err)
		return
	}
	to := io.Discard
	if sum != nil {
		to = sum
	}
	got, err := io.CopyBuffer(struct{ io.Writer }{to}, struct{ io.Reader }{nc}, make([]byte, plainBytes))
	if err != nil || got != n {
		b.Errorf("plain copy: %d of %d bytes, %v", got, n, err)
	}
}

// read reads a part of the file with the client, as the mount does.
func (s *benchServer) read(b *testing.B, c *omero.Client, off, n int64, sum hash.Hash) {
	f := c.OpenFile(omero.OriginalFile{ID: s.File, Size: s.Bytes})
	defer f.Close()
	buf := make([]byte, 1<<20)
	for end := off + n; off < end; {
		k, err := f.ReadAt(b.Context(), buf[:min(int64(len(buf)), end-off)], off)
		if err != nil && err != io.EOF || k == 0 {
			b.Errorf("read at %d: %d bytes, %v", off, k, err)
			return
		}
		if sum != nil {
			sum.Write(buf[:k])
		}
		off += int64(k)
	}
}

// parts does something to each of n equal parts of the file at the same time.
func (s *benchServer) parts(n int, do func(i int, off, size int64)) {
	var wg sync.WaitGroup
	size := s.Bytes / int64(n)
	for i := range n {
		wg.Go(func() { do(i, int64(i)*size, size) })
	}
	wg.Wait()
}

// BenchmarkRatioRead reads a large original file over one connection, and over
// four that read a quarter each, and copies the same bytes over as many plain
// TLS connections.
func BenchmarkRatioRead(b *testing.B) {
	s := startBench(b, turns.Shrink[int64](1<<30, 64<<20), 0)
	pem, err := os.ReadFile(s.CAFile)
	if err != nil {
		b.Fatal(err)
	}
	cfg := &tls.Config{RootCAs: x509.NewCertPool(), ServerName: "localhost", MinVersion: tls.VersionTLS12}
	cfg.RootCAs.AppendCertsFromPEM(pem)
	clients := make([]*omero.Client, 4)
	for i := range clients {
		clients[i] = s.login(b)
	}
	// What is measured later is checked by its length.
	ours, theirs := sha1.New(), sha1.New()
	s.read(b, clients[0], 0, s.Bytes, ours)
	s.plain(b, cfg, 0, s.Bytes, theirs)
	if got, want := hex.EncodeToString(ours.Sum(nil)), hex.EncodeToString(theirs.Sum(nil)); got != want {
		b.Fatalf("the client reads bytes of SHA-1 %s, the copy %s", got, want)
	}
	t, cpu := make(turns.Times), make(turns.Times)
	measure := func(what string, connections int, one func(i int, off, n int64)) func() {
		what = fmt.Sprintf("%s by %d", what, connections)
		return func() {
			before := s.cpu(b)
			t.Measure(what, func() { s.parts(connections, one) })
			cpu[what] = append(cpu[what], s.cpu(b)-before)
		}
	}
	plain := func(_ int, off, n int64) { s.plain(b, cfg, off, n, nil) }
	read := func(i int, off, n int64) { s.read(b, clients[i], off, n, nil) }
	for i := range turns.Rounds {
		turns.Take(i, measure("plain", 1, plain), measure("read", 1, read), measure("plain", 4, plain), measure("read", 4, read))
	}
	for _, n := range []int{1, 4} {
		read, plain := fmt.Sprintf("read by %d", n), fmt.Sprintf("plain by %d", n)
		ratio := t.Ratio(read, plain)
		fmt.Printf("read %s by %d connections: %.2f of the speed of a plain TLS copy (%s against %s; %s, plain %s)\n",
			turns.Size(s.Bytes), n, ratio, turns.Megabytes(t.Rate(read, s.Bytes)), turns.Megabytes(t.Rate(plain, s.Bytes)), t.Spread(read), t.Spread(plain))
		fmt.Printf("  client and server together take %s of processor time, the copy %s: %.2f\n",
			turns.Short(cpu.Median(read)), turns.Short(cpu.Median(plain)), cpu.Ratio(read, plain))
		b.ReportMetric(ratio, fmt.Sprintf("read-ratio-%d", n))
	}
	b.ReportMetric(0, "ns/op")
}
