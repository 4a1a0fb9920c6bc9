package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/google/uuid"

	"github.com/decnet/ttpstore/ttp"
)

// namedRead is a read that is measured only with ttpstore.
type namedRead struct {
	name string
	run  func(context.Context) error
}

const (
	average = ", average"
	busiest = ", busiest"

	newestPage = "page of 100, newest"
	middlePage = "page of 100, in the middle"
	whoAll     = "who: identities"
	whoShows   = "who: identities with a technique"
)

func (s ttpstore) readRollup(name string, of scope) namedRead {
	return namedRead{rollupOf + of.kind + name, func(ctx context.Context) error {
		got, err := s.rollup(ctx, of)
		if err == nil && got.tags == 0 {
			err = fmt.Errorf("%s has no tags", of.kind)
		}
		return err
	}}
}

// readPage reads the page before a time, which takes as long as a page after a cursor.
func (s ttpstore) readPage(name string, until time.Time) namedRead {
	return namedRead{name, func(ctx context.Context) error {
		page, err := s.ListTags(ctx, ttp.Fleet(), ttp.Filter{Until: until}, pageTags, "")
		if err == nil && len(page.Tags) != pageTags {
			err = fmt.Errorf("got %d tags on the page", len(page.Tags))
		}
		return err
	}}
}

func (s ttpstore) readWho(name string, f ttp.Filter) namedRead {
	return namedRead{name, func(ctx context.Context) error {
		counts, err := s.Who(ctx, ttp.IdentityScope, f, 10)
		if err == nil && len(counts) == 0 {
			err = errors.New("got no identities")
		}
		return err
	}}
}

// timeOf returns the time of the n-th tag of a source, without its delay.
func timeOf(n int) time.Time { return firstTag.Add(time.Duration(n) * pause) }

// averageScopes returns the scope of each kind whose number of tags is nearest to the mean of its kind. The number of tags
// of a session does not depend on the size of the store.
func averageScopes() []scope {
	identityOf, campaignOf := map[uuid.UUID]uuid.UUID{}, map[uuid.UUID]uuid.UUID{}
	g := newGraph()
	for _, a := range g.attackers {
		identityOf[a.UUID] = a.IdentityUUID
	}
	for _, i := range g.identities {
		campaignOf[i.UUID] = i.CampaignUUID
	}
	ofIdentity, ofCampaign := map[uuid.UUID]int{}, map[uuid.UUID]int{}
	for _, t := range take(tagSource(), freshPool) {
		identity := identityOf[t.AttackerUUID]
		ofIdentity[identity]++
		ofCampaign[campaignOf[identity]]++
	}
	return []scope{
		{kind: "identity", id: nearest(ofIdentity, freshPool/identities)},
		{kind: "campaign", id: nearest(ofCampaign, freshPool/campaigns)},
		{kind: "session", text: sessionOf(0, sessionTags)},
	}
}

func nearest(counts map[uuid.UUID]int, want int) (id uuid.UUID) {
	best := math.Inf(1)
	for other, n := range counts {
		distance := math.Abs(float64(n - want))
		if distance < best || (distance == best && other.String() < id.String()) {
			best, id = distance, other
		}
	}
	return id
}

// busiestScopes returns the busiest scopes of the kinds of averageScopes.
func busiestScopes() []scope {
	var out []scope
	for _, of := range scopes() {
		if of.kind == "identity" || of.kind == "campaign" || of.kind == "session" {
			out = append(out, of)
		}
	}
	return out
}
