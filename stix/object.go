package stix

import (
	"time"

	"github.com/google/uuid"
)

// namespace is the UUIDv5 namespace of all ids except those of addresses. It never changes.
var namespace = uuid.NewSHA1(uuid.NameSpaceURL, []byte("decnet:ttp_stix:v1"))

// observableNamespace is the namespace that STIX 2.1 fixes for the ids of observables.
var observableNamespace = uuid.MustParse("00abedb4-aa42-466c-9c01-fed23315a9b7")

// epoch is the creation time of objects that do not depend on tags.
const epoch = "2026-01-01T00:00:00.000000Z"

// maxCount is the highest count that STIX allows.
const maxCount = 999_999_999

func timestamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000000Z") }

func newID(kind, name string) string {
	return kind + "--" + uuid.NewSHA1(namespace, []byte(kind+"|"+name)).String()
}

type bundle struct {
	Type    string `json:"type"`
	ID      string `json:"id"`
	Objects []any  `json:"objects"`
}

// common holds the properties that domain and relationship objects share.
type common struct {
	Type         string   `json:"type"`
	SpecVersion  string   `json:"spec_version"`
	ID           string   `json:"id"`
	CreatedByRef string   `json:"created_by_ref,omitempty"`
	Created      string   `json:"created"`
	Modified     string   `json:"modified,omitempty"` // empty for a marking definition
	Confidence   *int     `json:"confidence,omitempty"`
	MarkingRefs  []string `json:"object_marking_refs,omitempty"`
}

type markingDefinition struct {
	common
	Name           string    `json:"name"`
	DefinitionType string    `json:"definition_type"`
	Definition     statement `json:"definition"`
}

type statement struct {
	Statement string `json:"statement"`
}

type identity struct {
	common
	Name          string `json:"name"`
	IdentityClass string `json:"identity_class"`
}

// address is an ipv4-addr or an ipv6-addr.
type address struct {
	Type        string `json:"type"`
	SpecVersion string `json:"spec_version"`
	ID          string `json:"id"`
	Value       string `json:"value"`
}

type observedData struct {
	common
	FirstObserved  string   `json:"first_observed"`
	LastObserved   string   `json:"last_observed"`
	NumberObserved int64    `json:"number_observed"`
	ObjectRefs     []string `json:"object_refs"`
}

type sighting struct {
	common
	Description      string              `json:"description"`
	ExternalRefs     []externalReference `json:"external_references"`
	FirstSeen        string              `json:"first_seen"`
	LastSeen         string              `json:"last_seen"`
	Count            int64               `json:"count"`
	SightingOfRef    string              `json:"sighting_of_ref"`
	ObservedDataRefs []string            `json:"observed_data_refs,omitempty"`
	WhereSightedRefs []string            `json:"where_sighted_refs"`
	Summary          bool                `json:"summary"`
}

type externalReference struct {
	SourceName string `json:"source_name"`
	ExternalID string `json:"external_id"`
	URL        string `json:"url,omitempty"`
}
