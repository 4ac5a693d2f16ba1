package irodsview

import (
	"sync"
	"syscall"
)

const (
	// blockBytes is how much is collected before it is sent, and read at once
	// where a program reads on.
	blockBytes = 4 << 20
	// spareBlocks is how many blocks that nobody uses are kept.
	spareBlocks = 4
)

// blocks are the memory of large files. It is not the garbage collector's,
// which would let the process grow to twice as much before it collects: who
// takes a block gives it back, with freeBlock.
var blocks struct {
	mu    sync.Mutex // guards the field below
	spare [][]byte
}

// newBlock returns an empty slice with the capacity of a block.
func newBlock() []byte {
	blocks.mu.Lock()
	if n := len(blocks.spare); n > 0 {
		b := blocks.spare[n-1]
		blocks.spare = blocks.spare[:n-1]
		blocks.mu.Unlock()
		return b
	}
	blocks.mu.Unlock()
	b, err := syscall.Mmap(-1, 0, blockBytes, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		return make([]byte, 0, blockBytes)
	}
	return b[:0]
}

// freeBlock gives memory back if it is that of a block. Nothing else does
// anything to it, so it may be called with any slice of the package's own.
func freeBlock(b []byte) {
	if cap(b) != blockBytes {
		return
	}
	blocks.mu.Lock()
	if len(blocks.spare) < spareBlocks {
		blocks.spare = append(blocks.spare, b[:0])
		blocks.mu.Unlock()
		return
	}
	blocks.mu.Unlock()
	_ = syscall.Munmap(b[:blockBytes]) // fails for memory that is not mapped
}
