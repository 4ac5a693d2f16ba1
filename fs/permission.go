package fs

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"

	"omerods/fs/tree"
)

// permitted judges by mode bits whether the caller has all rights of mask
// (4 read, 2 write, 1 execute), as the kernel would: one of owner, group and
// others decides, root may do all but execute a file that nobody may.
func permitted(c tree.Caller, a tree.Attr, mask uint32) bool {
	if c.UID == 0 {
		return mask&1 == 0 || a.Kind == tree.KindDir || a.Mode&0o111 != 0
	}
	switch {
	case c.UID == a.UID:
		return a.Mode>>6&mask == mask
	case inGroup(c, a.GID):
		return a.Mode>>3&mask == mask
	}
	return a.Mode&mask == mask
}

// mayGive says whether the caller may change owner and group, by the rule of
// local filesystems: a user who could give a file away would then not be
// allowed by the kernel to set its mode, and cp -a would fail.
func mayGive(c tree.Caller, a tree.Attr, change tree.AttrChange) bool {
	if c.UID == 0 {
		return true
	}
	if change.UID != nil && *change.UID != a.UID {
		return false
	}
	return change.GID == nil || *change.GID == a.GID || (c.UID == a.UID && inGroup(c, *change.GID))
}

func inGroup(c tree.Caller, gid uint32) bool {
	return c.GID == gid || slices.Contains(groups(c.TID), gid)
}

// groups returns the supplementary groups of a thread: a FUSE request has
// only the first group. A thread of a foreign pid namespace is 0 here and has
// none.
func groups(tid uint32) []uint32 {
	if tid == 0 {
		return nil
	}
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", tid))
	if err != nil {
		return nil
	}
	for line := range strings.Lines(string(data)) {
		list, ok := strings.CutPrefix(line, "Groups:")
		if !ok {
			continue
		}
		var gids []uint32
		for _, field := range strings.Fields(list) {
			if gid, err := strconv.ParseUint(field, 10, 32); err == nil {
				gids = append(gids, uint32(gid))
			}
		}
		return gids
	}
	return nil
}
