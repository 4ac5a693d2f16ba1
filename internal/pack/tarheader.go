package pack

import (
	"fmt"
	"strconv"
	"strings"
)

// Limits of a ustar header; what does not fit stands in a PAX record.
const (
	tarNameBytes = 100
	tarMaxSize   = 1<<33 - 1 // eleven octal digits
)

// Rights of everything in a tar, and its owner: the numbers are those of root,
// without a name, which programs of ordinary users ignore.
const (
	tarFileMode = 0o644
	tarDirMode  = 0o755
)

// Types of members.
const (
	tarTypeFile = '0'
	tarTypeLink = '1'
	tarTypeDir  = '5'
	tarTypePAX  = 'x' // records about the member that follows
)

// name is the path as a header has it: that of a folder ends in a slash.
func (m *TarMember) name() string {
	if m.Dir {
		return m.Path + "/"
	}
	return m.Path
}

// records are the PAX records of a member, "" for most. A path has one when it
// is longer than 100 bytes or has other characters than ASCII's, a size from
// 8 GiB on.
func (m *TarMember) records() string {
	var b strings.Builder
	if name := m.name(); !fitsHeader(name) {
		paxRecord(&b, "path", name)
	}
	if !fitsHeader(m.Link) {
		paxRecord(&b, "linkpath", m.Link)
	}
	if m.Size > tarMaxSize {
		paxRecord(&b, "size", strconv.FormatInt(m.Size, 10))
	}
	return b.String()
}

func fitsHeader(name string) bool { return len(name) <= tarNameBytes && isASCII(name) }

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}

// paxRecord writes one record. Its length counts its own digits.
func paxRecord(b *strings.Builder, key, value string) {
	n := len(key) + len(value) + len(" =\n")
	digits := 1
	for len(strconv.Itoa(n+digits)) > digits {
		digits++
	}
	fmt.Fprintf(b, "%d %s=%s\n", n+digits, key, value)
}

// headerBytes is the length of everything before the content of a member.
func (m *TarMember) headerBytes() int64 {
	if records := m.records(); records != "" {
		return 2*tarBlock + tarBlocks(int64(len(records)))
	}
	return tarBlock
}

// header is everything before the content of a member.
func (m *TarMember) header(mtime int64) []byte {
	kind, mode := byte(tarTypeFile), int64(tarFileMode)
	switch {
	case m.Dir:
		kind, mode = tarTypeDir, tarDirMode
	case m.Link != "":
		kind = tarTypeLink
	}
	own := ustar(plainName(m.name()), plainName(m.Link), kind, mode, m.Size, mtime)
	records := m.records()
	if records == "" {
		return own
	}
	n := int64(len(records))
	all := ustar(plainName("PaxHeaders/"+m.Path), "", tarTypePAX, tarFileMode, n, mtime)
	all = append(all, records...)
	all = append(all, make([]byte, tarBlocks(n)-n)...)
	return append(all, own...)
}

// plainName is what programs that know no PAX records see of a name.
func plainName(name string) string {
	if isASCII(name) {
		return name[:min(len(name), tarNameBytes)]
	}
	b := []byte(name)
	for i, c := range b {
		if c < ' ' || c > '~' {
			b[i] = '_'
		}
	}
	return string(b[:min(len(b), tarNameBytes)])
}

// ustar is one header block as POSIX.1-2001 has it. A size that does not fit
// is 0; a PAX record says it.
func ustar(name, link string, kind byte, mode, size, mtime int64) []byte {
	if size > tarMaxSize {
		size = 0
	}
	b := make([]byte, tarBlock)
	copy(b[0:100], name)
	octal(b[100:108], mode)
	octal(b[108:116], 0) // uid
	octal(b[116:124], 0) // gid
	octal(b[124:136], size)
	octal(b[136:148], min(mtime, tarMaxSize))
	copy(b[148:156], "        ") // the sum is computed as if it were blanks
	b[156] = kind
	copy(b[157:257], link)
	copy(b[257:265], "ustar\x0000")
	octal(b[329:337], 0) // device numbers
	octal(b[337:345], 0)
	var sum int64
	for _, c := range b {
		sum += int64(c)
	}
	copy(b[148:156], fmt.Sprintf("%06o\x00 ", sum))
	return b
}

// octal fills a field with digits and a zero at its end.
func octal(field []byte, v int64) {
	copy(field, fmt.Sprintf("%0*o", len(field)-1, v))
}
