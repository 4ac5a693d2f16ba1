package irodsd

import (
	"fmt"
	"testing"
)

// Several connections work side by side, in their own collections and on one
// object that all want to write.
func TestManyConnections(t *testing.T) {
	s, addr := startServer(t, nil)
	const workers, rounds = 6, 15
	t.Run("all", func(t *testing.T) {
		for w := range workers {
			t.Run(fmt.Sprint(w), func(t *testing.T) {
				t.Parallel()
				r := rawLogin(t, addr, "alice", alicePassword)
				dir := fmt.Sprintf("%s/w%d", home, w)
				r.expect(0, "mkdir", 681, coll(dir))
				for i := range rounds {
					p := fmt.Sprintf("%s/%d", dir, i)
					r.sendRaw(pack("RODS_API_REQ", 606, dataObj(p, 0, "dataIncluded", ""), []byte(p)))
					if got := r.receive().info; got != 0 {
						t.Errorf("put: %d", got)
					}
					r.expect(0, "rename", 627, renameBody(p, p+"x", 11))
					r.expect(0, "AVU", 706, avu("add", "-d", p+"x", "n", fmt.Sprint(i)))
					if m := r.call(608, dataObj(p+"x", 0)); string(m.stream) != p {
						t.Errorf("get: %+v", m)
					}
					r.sendRaw(pack("RODS_API_REQ", 606, dataObj(home+"/common", 0, "dataIncluded", "", "forceFlag", ""), fmt.Append(nil, w)))
					if got := r.receive().info; got != 0 && got != -1803000 {
						t.Errorf("common put: %d", got)
					}
				}
			})
		}
	})
	r := rawLogin(t, addr, "alice", alicePassword)
	v := values(r.call(702, query(1000, 0, []int{401, 404}, "501", "like '"+home+"/w%'", "413", "= '1'")).body)
	if len(v) == 0 || len(v[0]) != workers*rounds {
		t.Errorf("got %d objects", len(v[0]))
	}
	if m := r.call(608, dataObj(home+"/common", 0)); len(m.stream) != 1 {
		t.Errorf("common: %+v", m)
	}
	s.writers.mu.Lock()
	defer s.writers.mu.Unlock()
	if n := len(s.writers.open); n != 0 {
		t.Errorf("%d writers left", n)
	}
}
