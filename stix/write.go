package stix

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net/netip"
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/decnet/ttpstore/attack"
	"github.com/decnet/ttpstore/matrix"
)

// ErrNoSubject means that [Options] has no Subject.
var ErrNoSubject = errors.New("no subject")

// Options describes a bundle.
type Options struct {
	// Subject is the scope and whatever filter narrows it, such as "fleet" or "fleet, rule R1001". It is a part of
	// every sighting's id: sightings of different subjects are separate, and those of one subject replace each other.
	// It must not contain a value that changes between exports, such as the start of a sliding window.
	Subject string
	// Sensor is the name of the system that saw the techniques, "ttpstore" by default. It is a part of every id, too.
	Sensor string
	// Addresses are the attackers' addresses, if the subject has few enough to name. The sightings then refer to
	// observed data of them.
	Addresses []netip.Addr
}

// Write writes a bundle of one sighting for each cell, by release, technique and tactic. Names come from the cell's
// release or, if the catalogue lacks it, from the nearest one, which the sighting then names. Write returns the cells
// whose technique is not in that release, since no official object exists that their sighting could reference.
//
// A sighting is created when its first tag was observed and modified when its last was. Cells of the same release,
// technique and tactic must have been merged before; otherwise the error is [matrix.ErrDuplicate].
func Write(w io.Writer, cells []matrix.Cell, c *attack.Catalogue, o Options) (left []matrix.Cell, err error) {
	if o.Subject == "" {
		return nil, fmt.Errorf("stix: %w: ids are computed from it", ErrNoSubject)
	}
	e := newExport(o)
	cells = slices.Clone(cells)
	slices.SortFunc(cells, comparePlaces)
	var sightings []any
	for i, cell := range cells {
		if i > 0 && comparePlaces(cells[i-1], cell) == 0 {
			return nil, fmt.Errorf("stix: %w: %s under %s in %s", matrix.ErrDuplicate, cell.Technique, cell.Tactic, cell.Release)
		}
		if release, ok := c.Nearest(cell.Release); !ok {
			left = append(left, cell)
		} else if technique, ok := release.Technique(cell.Technique); !ok {
			left = append(left, cell)
		} else {
			e.all.Add(cell)
			sightings = append(sightings, e.sighting(cell, technique, release))
		}
	}
	return left, writeBundle(w, append(e.context(), sightings...))
}

func comparePlaces(a, b matrix.Cell) int {
	return cmp.Or(cmp.Compare(a.Release, b.Release), cmp.Compare(a.Technique, b.Technique), cmp.Compare(a.Tactic, b.Tactic))
}

// writeBundle writes a bundle of the objects, with an id computed from them.
func writeBundle(w io.Writer, objects []any) error {
	content, err := json.Marshal(objects)
	if err != nil {
		return err
	}
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(bundle{Type: "bundle", ID: newID("bundle", string(content)), Objects: objects})
}

// export holds the objects that the sightings of a bundle reference.
type export struct {
	Options
	marking    markingDefinition
	sensor     identity
	addresses  []address
	observedID string
	all        matrix.Cell // the sum of the cells
}

func newExport(o Options) *export {
	o.Sensor = cmp.Or(o.Sensor, "ttpstore")
	e := &export{Options: o}
	e.marking = markingDefinition{
		common: common{Type: "marking-definition", SpecVersion: "2.1", ID: newID("marking-definition", attack.License), Created: epoch},
		Name:   "ATT&CK licence", DefinitionType: "statement", Definition: statement{attack.License},
	}
	e.sensor = identity{
		common: common{Type: "identity", SpecVersion: "2.1", ID: newID("identity", o.Sensor), Created: epoch, Modified: epoch},
		Name:   o.Sensor, IdentityClass: "system",
	}
	e.observedID = e.id("observed-data", "")
	for _, a := range o.Addresses {
		e.addresses = append(e.addresses, newAddress(a))
	}
	slices.SortFunc(e.addresses, func(a, b address) int { return cmp.Compare(a.ID, b.ID) })
	e.addresses = slices.Compact(e.addresses)
	return e
}

func newAddress(a netip.Addr) address {
	a = a.Unmap()
	kind := "ipv6-addr"
	if a.Is4() {
		kind = "ipv4-addr"
	}
	value := a.String() // of addresses that need no escapes in JSON
	id := uuid.NewSHA1(observableNamespace, []byte(`{"value":"`+value+`"}`))
	return address{Type: kind, SpecVersion: "2.1", ID: kind + "--" + id.String(), Value: value}
}

// id returns the id of an object that depends on the sensor and the subject.
func (e *export) id(kind, name string) string { return newID(kind, e.sensor.ID+"|"+e.Subject+"|"+name) }

// context returns the objects that the sightings reference, except the attack-patterns.
func (e *export) context() []any {
	out := []any{e.marking, e.sensor}
	if len(e.addresses) == 0 || e.all.Count == 0 {
		return out
	}
	observed := observedData{
		common:        e.common("observed-data", e.observedID, e.all),
		FirstObserved: timestamp(e.all.FirstSeen), LastObserved: timestamp(e.all.LastSeen),
		NumberObserved: min(e.all.Count, maxCount),
	}
	for _, a := range e.addresses {
		out = append(out, a)
		observed.ObjectRefs = append(observed.ObjectRefs, a.ID)
	}
	return append(out, observed)
}

// common returns the common properties of an object that sums up a cell.
func (e *export) common(kind, id string, cell matrix.Cell) common {
	return common{
		Type: kind, SpecVersion: "2.1", ID: id, CreatedByRef: e.sensor.ID,
		Created: timestamp(cell.FirstSeen), Modified: timestamp(cell.LastSeen),
	}
}

func (e *export) sighting(cell matrix.Cell, t attack.Technique, r *attack.Release) sighting {
	id := e.id("sighting", cell.Release+"|"+cell.Technique+"|"+cell.Tactic)
	confidence := int(math.Round(100 * cell.ConfidenceMax))
	s := sighting{
		common:      e.common("sighting", id, cell),
		Description: describe(cell, t, r),
		ExternalRefs: []externalReference{
			{SourceName: "mitre-attack", ExternalID: cell.Technique, URL: t.URL},
			{SourceName: "mitre-attack", ExternalID: cell.Tactic},
		},
		FirstSeen: timestamp(cell.FirstSeen), LastSeen: timestamp(cell.LastSeen), Count: min(cell.Count, maxCount),
		SightingOfRef: t.STIXID, WhereSightedRefs: []string{e.sensor.ID}, Summary: true,
	}
	s.Confidence, s.MarkingRefs = &confidence, []string{e.marking.ID}
	if len(e.addresses) > 0 {
		s.ObservedDataRefs = []string{e.observedID}
	}
	return s
}

// describe returns the description of a sighting.
func describe(cell matrix.Cell, t attack.Technique, r *attack.Release) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s, tactic %s", cell.Technique, t.Name, cell.Tactic)
	if tactic, ok := r.Tactic(cell.Tactic); ok {
		b.WriteString(" " + tactic.Name)
	}
	b.WriteString(", " + cell.Release)
	if r.Name != cell.Release {
		fmt.Fprintf(&b, " (names of %s)", r.Name)
	}
	for _, o := range cell.Origins {
		fmt.Fprintf(&b, "; tagged as %s, %s, %s: %d", o.Technique, o.Tactic, o.Release, o.Count)
	}
	return b.String()
}
