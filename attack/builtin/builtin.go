// Package builtin holds the official ATT&CK releases, the last minor one of each major release from 8.2 to 18.1 of all
// three domains: all that package attack keeps of a bundle, in some 60 kilobytes. A program that does not import it
// does not carry them.
//
// ATT&CK is © The MITRE Corporation; see [License].
package builtin

import (
	_ "embed"
	"sync"

	"github.com/decnet/ttpstore/attack"
)

// License holds MITRE's terms of use of ATT&CK, with the copyright line.
var License = attack.License

// The folder TTPSTORE_ATTACK_DATA/releases has the official bundles.
//
//go:generate go -C ../../tools/attackbuiltin run . $TTPSTORE_ATTACK_DATA/releases ../../attack/builtin/releases.gz

//go:embed releases.gz
var releases []byte

var catalogue = sync.OnceValue(func() *attack.Catalogue {
	c := &attack.Catalogue{}
	if err := c.UnmarshalBinary(releases); err != nil {
		panic("attack/builtin: " + err.Error()) // the file was checked when it was built
	}
	return c
})

// Catalogue returns a catalogue of the official releases, to which others may be added. A release is made when it is
// first asked for, and shared by all catalogues.
func Catalogue() *attack.Catalogue { return catalogue().Clone() }
