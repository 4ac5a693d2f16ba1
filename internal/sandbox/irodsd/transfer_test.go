package irodsd

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

func (r *raw) write(fd int, data string) answer {
	r.t.Helper()
	r.sendRaw(pack("RODS_API_REQ", 676, opened(fd, len(data), ""), []byte(data)))
	return r.receive()
}

func (r *raw) open(p string, flags int, pairs ...string) int {
	r.t.Helper()
	return r.call(602, dataObj(p, flags, pairs...)).info
}

// state returns status, size and checksum of an object's only replica.
func (r *raw) state(name string) string {
	r.t.Helper()
	v := values(r.call(702, query(10, 0, []int{413, 407, 415}, "501", "= '"+home+"'", "403", "= '"+name+"'")).body)
	if len(v) != 3 || len(v[0]) != 1 {
		r.t.Fatalf("%s: got %v", name, v)
	}
	return v[0][0] + " " + v[1][0] + " " + v[2][0]
}

const sumOfHello = "sha2:LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ="

func TestObjectWhileItIsWritten(t *testing.T) {
	_, addr := startServer(t, nil)
	a, b := rawLogin(t, addr, "alice", alicePassword), rawLogin(t, addr, "alice", alicePassword)
	fd := a.open(home+"/o", 1|64|512)
	if fd != 3 {
		t.Fatalf("first descriptor is %d, want 3", fd)
	}
	if m := a.write(fd, "hello"); m.info != 5 {
		t.Errorf("write: %+v", m)
	}
	if got := b.state("o"); got != "2 0 " {
		t.Errorf("while open: %q, want intermediate and empty", got)
	}
	if m := b.call(633, dataObj(home+"/o", 0)); m.info != 1 || field(m.body, "objSize") != "0" {
		t.Errorf("stat while open: %+v", m)
	}
	for what, got := range map[string]int{
		"open for reading -1803000": b.open(home+"/o", 0),
		"open for writing -1803000": b.open(home+"/o", 1),
		"put -1803000":              b.call(606, dataObj(home+"/o", 0, "dataIncluded", "", "forceFlag", "")).info,
		"checksum -1803000":         b.call(629, dataObj(home+"/o", 0)).info,
		"truncate -1803000":         b.call(802, dataObj(home+"/o", 0)).info,
		"unlink -406000":            b.call(615, dataObj(home+"/o", 0, "forceFlag", "")).info,
	} {
		if !strings.HasSuffix(what, fmt.Sprintf(" %d", got)) {
			t.Errorf("%s: got %d", what, got)
		}
	}
	if m := a.call(673, opened(fd, 0, "")); m.info != 0 {
		t.Errorf("close: %+v", m)
	}
	if got := a.call(673, opened(fd, 0, "")).info; got != -130000 {
		t.Errorf("second close: %d", got)
	}
	if got := b.state("o"); got != "1 5 " {
		t.Errorf("after close: %q", got)
	}
	if m := b.call(629, dataObj(home+"/o", 0)); field(m.body, "myStr") != sumOfHello {
		t.Errorf("checksum: %+v", m)
	}
	if got := b.state("o"); got != "1 5 "+sumOfHello {
		t.Errorf("after the checksum: %q", got)
	}
}

func TestReadSeekAndLimits(t *testing.T) {
	s, addr := startServer(t, nil)
	if err := s.PutObject(context.Background(), home+"/o", "alice", strings.NewReader("0123456789")); err != nil {
		t.Fatal(err)
	}
	r := rawLogin(t, addr, "alice", alicePassword)
	fd := r.open(home+"/o", 0)
	seek := func(offset, whence int) answer {
		return r.call(674, opened(fd, 0, fmt.Sprintf("<whence>%d</whence><offset>%d</offset>", whence, offset)))
	}
	if m := seek(-4, 2); field(m.body, "offset") != "6" {
		t.Errorf("seek from the end: %+v", m)
	}
	if m := r.call(675, opened(fd, 100, "")); m.info != 4 || string(m.stream) != "6789" || m.body != "" {
		t.Errorf("short read: %+v", m)
	}
	if m := r.call(675, opened(fd, 100, "")); m.info != 0 || len(m.stream) != 0 {
		t.Errorf("read at the end: %+v", m)
	}
	if m := seek(1000, 0); field(m.body, "offset") != "10" {
		t.Errorf("seek beyond the end of a reader: %+v", m)
	}
	if got := seek(-1, 0).info; got != -518022 {
		t.Errorf("negative seek: %d", got)
	}
	if got := r.write(fd, "x").info; got != -513009 {
		t.Errorf("write to a reader: %d", got)
	}
	if m := r.call(608, dataObj(home+"/o", 0)); m.info != 10 || string(m.stream) != "0123456789" {
		t.Errorf("get: %+v", m)
	}
	w := r.open(home+"/o", 2)
	if w != fd+1 {
		t.Errorf("second descriptor: %d", w)
	}
	if m := r.call(674, opened(w, 0, "<whence>0</whence><offset>20</offset>")); field(m.body, "offset") != "20" {
		t.Errorf("seek beyond the end of a writer: %+v", m)
	}
	// Several writes on the way before the first answer is read.
	var all []byte
	for _, part := range []string{"ab", "cd", "ef"} {
		all = append(all, pack("RODS_API_REQ", 676, opened(w, 999, ""), []byte(part))...)
	}
	r.sendRaw(append(all, pack("RODS_API_REQ", 673, opened(w, 0, ""), nil)...))
	for _, want := range []int{2, 2, 2, 0} {
		if got := r.receive().info; got != want {
			t.Errorf("pipelined: got %d, want %d", got, want)
		}
	}
	if m := r.call(608, dataObj(home+"/o", 0)); string(m.stream) != "0123456789"+strings.Repeat("\x00", 10)+"abcdef" {
		t.Errorf("after writing behind a hole: %q", m.stream)
	}
}

// waitState waits until an object's replica has the state: the server learns
// of a broken connection by itself.
func waitState(t *testing.T, r *raw, name, want string) {
	t.Helper()
	got := ""
	for end := time.Now().Add(2 * time.Minute); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if got = r.state(name); got == want {
			return
		}
	}
	t.Errorf("%s: got %q, want %q", name, got, want)
}

func TestDroppedWriterLeavesStale(t *testing.T) {
	_, addr := startServer(t, nil)
	a, b := rawLogin(t, addr, "alice", alicePassword), rawLogin(t, addr, "alice", alicePassword)
	a.write(a.open(home+"/o", 1|64), "hello")
	_ = a.Close()
	waitState(t, b, "o", "0 5 ")
	if fd := b.open(home+"/o", 0); fd < 0 {
		t.Errorf("open of a stale object: %d", fd)
	}
}

func TestRenameWhileWrittenFailsTheClose(t *testing.T) {
	_, addr := startServer(t, nil)
	a, b := rawLogin(t, addr, "alice", alicePassword), rawLogin(t, addr, "alice", alicePassword)
	fd := a.open(home+"/o", 1|64)
	if got := b.call(627, renameBody(home+"/o", home+"/p", 11)).info; got != 0 {
		t.Errorf("rename: %d", got)
	}
	if got := a.call(673, opened(fd, 0, "")).info; got != -516002 {
		t.Errorf("close: %d", got)
	}
}

func TestParallelUploadNeedsTheToken(t *testing.T) {
	_, addr := startServer(t, nil)
	main := rawLogin(t, addr, "alice", alicePassword)
	fd := main.open(home+"/big", 2|64|512, "numThreads", "2", "dataSize", "10")
	var info struct {
		Token  string `json:"replica_token"`
		Object struct {
			Hier string `json:"resource_hierarchy"`
		} `json:"data_object_info"`
	}
	m := main.call(20000, jsonBody(fmt.Sprintf(`{"fd":%d}`, fd)))
	if err := json.Unmarshal([]byte(fromJSON(t, m.body)), &info); err != nil || info.Token == "" || info.Object.Hier != "demoResc" {
		t.Fatalf("%+v %v", info, err)
	}
	for i, part := range []string{"hello", "world"} {
		c := rawLogin(t, addr, "alice", alicePassword)
		if got := c.open(home+"/big", 1); got != -1803000 {
			t.Errorf("without the token: %d", got)
		}
		d := c.open(home+"/big", 1, "replicaToken", info.Token, "resc_hier", info.Object.Hier)
		c.call(674, opened(d, 0, fmt.Sprintf("<whence>0</whence><offset>%d</offset>", i*5)))
		c.write(d, part)
		end := fmt.Sprintf(`{"fd":%d,"send_notification":false,"update_size":false,"update_status":false,"compute_checksum":false,"preserve_replica_state_table":false}`, d)
		if got := c.call(20004, jsonBody(end)).info; got != 0 {
			t.Errorf("replica close: %d", got)
		}
		if got := c.state("big"); got != "2 0 " {
			t.Errorf("before the last close: %q", got)
		}
	}
	if got := main.call(673, opened(fd, 0, "")).info; got != 0 {
		t.Errorf("close: %d", got)
	}
	if m := main.call(608, dataObj(home+"/big", 0)); string(m.stream) != "helloworld" {
		t.Errorf("got %q", m.stream)
	}
	if got := main.state("big"); got != "1 10 " {
		t.Errorf("at the end: %q", got)
	}
}

func TestSingleBufferPut(t *testing.T) {
	_, addr := startServer(t, nil)
	r := rawLogin(t, addr, "alice", alicePassword)
	put := func(name, data string, pairs ...string) answer {
		r.sendRaw(pack("RODS_API_REQ", 606, dataObj(home+"/"+name, 0, append(pairs, "dataIncluded", "")...), []byte(data)))
		return r.receive()
	}
	if m := put("o", "hello", "regChksum", ""); m.info != 0 || m.body != "" {
		t.Errorf("put: %+v", m)
	}
	if got := r.state("o"); got != "1 5 "+sumOfHello {
		t.Errorf("after put: %q", got)
	}
	if m := put("o", "HELLO", "forceFlag", "", "verifyChksum", sumOfHello); m.info != -314000 {
		t.Errorf("wrong sum: %+v", m)
	}
	if got := r.state("o"); got != "0 5 " {
		t.Errorf("after a wrong sum: %q", got)
	}
	// On a descriptor the sum is not enforced; the true one is registered.
	m := r.call(601, dataObj(home+"/p", 0, "verifyChksum", sumOfHello))
	r.write(m.info, "other")
	if got := r.call(673, opened(m.info, 0, "")).info; got != 0 {
		t.Errorf("close: %d", got)
	}
	if got := r.state("p"); !strings.HasPrefix(got, "1 5 sha2:") || got == "1 5 "+sumOfHello {
		t.Errorf("after close: %q", got)
	}
}

func TestQuotaRefusesWrites(t *testing.T) {
	s, addr := startServer(t, nil)
	if err := s.SetQuota(context.Background(), "alice", "", 10); err != nil {
		t.Fatal(err)
	}
	r := rawLogin(t, addr, "alice", alicePassword)
	fd := r.open(home+"/o", 1|64)
	if got := r.write(fd, "1234567").info; got != 7 {
		t.Errorf("within: %d", got)
	}
	if got := r.write(fd, "1234").info; got != -110000 {
		t.Errorf("over: %d", got)
	}
	if got := r.call(673, opened(fd, 0, "")).info; got != 0 {
		t.Errorf("close: %d", got)
	}
	if got := r.state("o"); got != "1 7 " {
		t.Errorf("left: %q", got)
	}
	r.sendRaw(pack("RODS_API_REQ", 606, dataObj(home+"/p", 0, "dataIncluded", ""), []byte("1234")))
	if got := r.receive().info; got != -110000 {
		t.Errorf("put: %d", got)
	}
	v := values(r.call(702, query(10, 0, []int{2002}, "2021", "= 'alice'", "2001", "= '0'")).body)
	if len(v) != 1 || len(v[0]) != 1 || v[0][0] != "10" {
		t.Errorf("quota query: %v", v)
	}
}

func TestReplicas(t *testing.T) {
	s, addr := startServer(t, nil)
	if err := s.AddResource(context.Background(), "otherResc"); err != nil {
		t.Fatal(err)
	}
	r := rawLogin(t, addr, "alice", alicePassword)
	r.sendRaw(pack("RODS_API_REQ", 606, dataObj(home+"/o", 0, "dataIncluded", ""), []byte("hello")))
	if got := r.receive().info; got != 0 {
		t.Fatal(got)
	}
	if m := r.call(695, dataObj(home+"/o", 0, "destRescName", "otherResc")); m.info != 0 || field(m.body, "bytesWritten") != "5" {
		t.Fatalf("replicate: %+v", m)
	}
	states := func() string {
		v := values(r.call(702, query(10, 0, []int{404, 413, 409}, "403", "= 'o'")).body)
		out := ""
		for i := range v[0] {
			out += v[0][i] + ":" + v[1][i] + ":" + v[2][i] + " "
		}
		return out
	}
	if got := states(); got != "0:1:demoResc 1:1:otherResc " {
		t.Errorf("replicated: %q", got)
	}
	fd := r.open(home+"/o", 1, "rescName", "otherResc")
	if got := states(); got != "0:4:demoResc 1:2:otherResc " {
		t.Errorf("while one is written: %q", got)
	}
	r.write(fd, "J")
	r.call(673, opened(fd, 0, ""))
	if got := states(); got != "0:0:demoResc 1:1:otherResc " {
		t.Errorf("after one was written: %q", got)
	}
	if got := r.call(695, dataObj(home+"/o", 0, "updateRepl", "")).info; got != 0 {
		t.Errorf("update: %d", got)
	}
	if got := states(); got != "0:1:demoResc 1:1:otherResc " {
		t.Errorf("updated: %q", got)
	}
	if got := r.call(632, dataObj(home+"/o", 0, "replNum", "1")).info; got != 1 {
		t.Errorf("trim: %d", got)
	}
	if m := r.call(608, dataObj(home+"/o", 0)); string(m.stream) != "Jello" {
		t.Errorf("what is left: %q", m.stream)
	}
}

func TestFaults(t *testing.T) {
	var at, kind atomic.Int64
	s, addr := startServer(t, func(c *Config) {
		c.Fault = func(api int, n int64) Fault {
			if n != at.Load() {
				return Fault{}
			}
			return []Fault{{DropBefore: true}, {DropAfter: true}, {Code: -806000}}[kind.Load()]
		}
	})
	made := func(n string) bool {
		r := rawLogin(t, addr, "alice", alicePassword)
		return r.call(633, dataObj(home+"/"+n, 0)).info == 2
	}
	for i, name := range []string{"before", "after", "code"} {
		r := rawLogin(t, addr, "alice", alicePassword)
		kind.Store(int64(i))
		at.Store(s.count.Load() + 1)
		r.sendRaw(pack("RODS_API_REQ", 681, coll(home+"/"+name), nil))
		if i == 2 {
			if got := r.receive().info; got != -806000 {
				t.Errorf("code: got %d", got)
			}
		} else if _, err := r.Read(make([]byte, 1)); err == nil {
			t.Errorf("%s: got an answer", name)
		}
		if got := made(name); got != (name == "after") {
			t.Errorf("%s: made %v", name, got)
		}
	}
}

func TestCloseEndsEverything(t *testing.T) {
	s, addr := startServer(t, nil)
	r := rawLogin(t, addr, "alice", alicePassword)
	r.write(r.open(home+"/o", 1|64), "hello")
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Read(make([]byte, 1)); err == nil {
		t.Error("still connected")
	}
	s2, err := New(s.cfg)
	if err != nil {
		t.Fatal(err)
	}
	if got := rawLogin(t, serve(t, s2), "alice", alicePassword).state("o"); got != "0 5 " {
		t.Errorf("left: %q, want stale", got)
	}
}
