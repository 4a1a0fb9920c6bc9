// Package builtin embeds the official ATT&CK releases of all three domains: the last minor release of each major one
// from 8.2 to 18.1, with the data that package attack keeps of a bundle, in about 60 kilobytes. Only programs that
// import the package contain them.
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

// Catalogue returns a catalogue of the official releases, to which others may be added. A release is decoded on first
// use and shared by all catalogues.
func Catalogue() *attack.Catalogue { return catalogue().Clone() }
