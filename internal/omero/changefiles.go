package omero

import (
	"context"
	"slices"
	"time"

	"omerods/internal/ice"
)

// FileChange is what an owner may say of a file on the server beside its bytes.
type FileChange struct {
	ID int64
	// Modified is when the file was last changed; the zero time leaves it alone.
	Modified time.Time
	// Hash and Hasher are its checksum, in lower-case hex, and the algorithm of
	// it; with an empty Hash, or an algorithm that OMERO has not, both stay.
	Hash, Hasher string
}

// hashers are the algorithms of checksums that OMERO has since 5.0.
var hashers = []string{"Adler-32", "CRC-32", "File-Size-64", "MD5-128", "Murmur3-32", "Murmur3-128", hasherSHA1}

// ChangeFiles gives existing files other times and checksums. The server sets
// both whenever bytes are written, so this comes after the upload. It keeps no
// file of a managed repository from being changed so by its owner: it guards
// name, path and repo only (OmeroInterceptor.onFlushDirty).
func (c *Client) ChangeFiles(ctx context.Context, files []FileChange) error {
	return change(ctx, c, KindOriginalFile, files, func(f FileChange) int64 { return f.ID }, func(o *ice.Object, f FileChange) {
		if !f.Modified.IsZero() {
			o.Set("mtime", c.rtime(f.Modified))
		}
		if f.Hash != "" && slices.Contains(hashers, f.Hasher) {
			o.Set("hash", c.rstring(f.Hash)).Set("hasher", c.enumeration("ChecksumAlgorithm", f.Hasher))
		}
	})
}
