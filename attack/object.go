package attack

import (
	"encoding/json"
	"strings"
)

// object holds the properties that Read uses, of any type of STIX object.
type object struct {
	ID         string
	Name       string
	Modified   string
	Revoked    bool
	Deprecated bool `json:"x_mitre_deprecated"`
	References []struct {
		Source string `json:"source_name"`
		ID     string `json:"external_id"`
		URL    string `json:"url"`
	} `json:"external_references"`

	// Of a technique.
	Platforms []string `json:"x_mitre_platforms"`
	Phases    []struct {
		Chain  string `json:"kill_chain_name"`
		Tactic string `json:"phase_name"` // by shortname
	} `json:"kill_chain_phases"`

	Shortname string   `json:"x_mitre_shortname"` // of a tactic
	Tactics   []string `json:"tactic_refs"`       // of a matrix
	Version   string   `json:"x_mitre_version"`   // of a collection

	// Of a relationship.
	Relation string `json:"relationship_type"`
	Source   string `json:"source_ref"`
	Target   string `json:"target_ref"`
}

// invalid returns an error about the object.
func (o *object) invalid(reason string) error {
	return &BundleError{Object: o.ID, Reason: reason}
}

// reference returns the ATT&CK id and its page, or empty ones. Other sources, such as CAPEC, have ids too.
func (o *object) reference() (id, url string) {
	for _, r := range o.References {
		if _, attack := killChains[r.Source]; attack {
			return r.ID, r.URL
		}
	}
	return "", ""
}

// domains returns the domains of a technique's kill chains.
func (o *object) domains() []string {
	var domains []string
	for _, p := range o.Phases {
		if domain, known := killChains[p.Chain]; known {
			domains = append(domains, domain)
		}
	}
	return domains
}

// shortnames returns the shortnames of a technique's tactics in a domain.
func (o *object) shortnames(domain string) []string {
	var names []string
	for _, p := range o.Phases {
		if killChains[p.Chain] == domain {
			names = append(names, p.Tactic)
		}
	}
	return names
}

// objects holds the objects of a bundle that make up a release.
type objects struct {
	collections, matrices, tactics, techniques []object
	revocations                                []object // revoked-by relationships
}

// add decodes an object and keeps it if it is a part of the release.
func (all *objects) add(raw json.RawMessage) error {
	var head struct{ Type string }
	if err := json.Unmarshal(raw, &head); err != nil {
		return &BundleError{Reason: "an object cannot be read", Err: err}
	}
	var kind *[]object
	switch head.Type {
	case "x-mitre-collection":
		kind = &all.collections
	case "x-mitre-matrix":
		kind = &all.matrices
	case "x-mitre-tactic":
		kind = &all.tactics
	case "attack-pattern":
		kind = &all.techniques
	case "relationship":
		kind = &all.revocations
	default: // a later release may have new types
		return nil
	}
	var o object
	if err := json.Unmarshal(raw, &o); err != nil {
		return &BundleError{Object: o.ID, Reason: "cannot be read", Err: err}
	}
	if kind != &all.revocations || o.revokesTechnique() {
		*kind = append(*kind, o)
	}
	return nil
}

// revokesTechnique reports whether the object is a valid relationship that gives a technique a successor.
func (o *object) revokesTechnique() bool {
	return o.Relation == "revoked-by" && strings.HasPrefix(o.Source, "attack-pattern--") && !o.Revoked && !o.Deprecated
}
