package check

import (
	"encoding/binary"
	"math/bits"
)

// murmur32 is MurmurHash3_x86_32 with the seed 0, its bytes from the highest.
type murmur32 struct {
	h, n uint32
	rest [4]byte
	have int
}

func (m *murmur32) Write(p []byte) (int, error) {
	all := len(p)
	m.n += uint32(all)
	if m.have > 0 {
		n := copy(m.rest[m.have:], p)
		m.have += n
		p = p[n:]
		if m.have < len(m.rest) {
			return all, nil
		}
		m.block(binary.LittleEndian.Uint32(m.rest[:]))
		m.have = 0
	}
	for len(p) >= 4 {
		m.block(binary.LittleEndian.Uint32(p))
		p = p[4:]
	}
	m.have = copy(m.rest[:], p)
	return all, nil
}

func mix32(k uint32) uint32 { return bits.RotateLeft32(k*0xcc9e2d51, 15) * 0x1b873593 }

func (m *murmur32) block(k uint32) {
	m.h = bits.RotateLeft32(m.h^mix32(k), 13)*5 + 0xe6546b64
}

func (m *murmur32) Sum(b []byte) []byte {
	var tail uint32
	for i := m.have - 1; i >= 0; i-- {
		tail = tail<<8 | uint32(m.rest[i])
	}
	h := m.h ^ mix32(tail) ^ m.n
	h = (h ^ h>>16) * 0x85ebca6b
	h = (h ^ h>>13) * 0xc2b2ae35
	return binary.BigEndian.AppendUint32(b, h^h>>16)
}

func (m *murmur32) Reset()         { *m = murmur32{} }
func (m *murmur32) Size() int      { return 4 }
func (m *murmur32) BlockSize() int { return 4 }

// murmur128 is MurmurHash3_x64_128 with the seed 0. Each half comes from its
// lowest byte.
type murmur128 struct {
	h1, h2, n uint64
	rest      [16]byte
	have      int
}

const (
	murmurC1 = 0x87c37b91114253d5
	murmurC2 = 0x4cf5ad432745937f
)

func (m *murmur128) Write(p []byte) (int, error) {
	all := len(p)
	m.n += uint64(all)
	if m.have > 0 {
		n := copy(m.rest[m.have:], p)
		m.have += n
		p = p[n:]
		if m.have < len(m.rest) {
			return all, nil
		}
		m.block(m.rest[:])
		m.have = 0
	}
	for len(p) >= 16 {
		m.block(p)
		p = p[16:]
	}
	m.have = copy(m.rest[:], p)
	return all, nil
}

func mixLow(k uint64) uint64  { return bits.RotateLeft64(k*murmurC1, 31) * murmurC2 }
func mixHigh(k uint64) uint64 { return bits.RotateLeft64(k*murmurC2, 33) * murmurC1 }

func (m *murmur128) block(p []byte) {
	m.h1 ^= mixLow(binary.LittleEndian.Uint64(p))
	m.h1 = (bits.RotateLeft64(m.h1, 27)+m.h2)*5 + 0x52dce729
	m.h2 ^= mixHigh(binary.LittleEndian.Uint64(p[8:]))
	m.h2 = (bits.RotateLeft64(m.h2, 31)+m.h1)*5 + 0x38495ab5
}

func (m *murmur128) Sum(b []byte) []byte {
	var tail [16]byte
	copy(tail[:], m.rest[:m.have])
	h1 := m.h1 ^ mixLow(binary.LittleEndian.Uint64(tail[:])) ^ m.n
	h2 := m.h2 ^ mixHigh(binary.LittleEndian.Uint64(tail[8:])) ^ m.n
	h1 += h2
	h2 += h1
	h1, h2 = final64(h1), final64(h2)
	h1 += h2
	h2 += h1
	return binary.LittleEndian.AppendUint64(binary.LittleEndian.AppendUint64(b, h1), h2)
}

func final64(k uint64) uint64 {
	k = (k ^ k>>33) * 0xff51afd7ed558ccd
	k = (k ^ k>>33) * 0xc4ceb9fe1a85ec53
	return k ^ k>>33
}

func (m *murmur128) Reset()         { *m = murmur128{} }
func (m *murmur128) Size() int      { return 16 }
func (m *murmur128) BlockSize() int { return 16 }
