package transfer

import (
	"strings"

	"golang.org/x/text/unicode/norm"
)

// fold maps names that differ only in capitals or in the Unicode form of
// their characters to the same text: some disks do not tell them apart.
func fold(name string) string {
	return norm.NFC.String(strings.ToLower(norm.NFC.String(name)))
}
