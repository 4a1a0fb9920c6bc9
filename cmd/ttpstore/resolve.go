package main

import (
	"context"
	"fmt"
	"net/netip"
	"strings"

	"github.com/google/uuid"

	"github.com/decnet/ttpstore/ttp"
)

// An argument names a scope by its id, the beginning of its id, its IP or its name.

// candidate is a scope that an argument may refer to.
type candidate struct {
	ttp.Scope
	label string // an IP or a name, for people
}

// ambiguousError lists the scopes that an argument may refer to.
type ambiguousError struct {
	arg        scopeArg
	candidates []candidate
}

func (e *ambiguousError) Error() string {
	way := "give more digits of the id"
	if e.candidates[0].label != "" && !idBeginning.MatchString(e.arg.name) {
		way = "give an id"
	}
	lines := []string{fmt.Sprintf("%s %q is ambiguous: %s:", e.arg.kind, e.arg.name, way)}
	for _, c := range e.candidates {
		lines = append(lines, strings.TrimSpace(c.ID()+"  "+printable(c.label)))
	}
	return strings.Join(lines, "\n  ")
}

// findScope returns the scope named by an argument. Full ids need not be stored, since tags may precede their scopes.
func findScope(ctx context.Context, store *ttp.Store, arg scopeArg) (ttp.Scope, error) {
	if arg.kind == ttp.SessionScope {
		return findSession(ctx, store, arg)
	}
	if scope, err := ttp.ParseScope(arg.String()); err == nil {
		return scope, nil
	}
	found, err := candidates(ctx, store, arg)
	switch {
	case err != nil:
		return ttp.Scope{}, err
	case len(found) == 0:
		return ttp.Scope{}, fmt.Errorf("no %s matches %q: `ttpstore who %s` lists those with tags", arg.kind, arg.name, arg.kind)
	case len(found) > 1:
		return ttp.Scope{}, &ambiguousError{arg, found}
	}
	return found[0].Scope, nil
}

func candidates(ctx context.Context, store *ttp.Store, arg scopeArg) ([]candidate, error) {
	if arg.kind == ttp.CampaignScope {
		if named, err := campaignsNamed(ctx, store, arg.name); err != nil || len(named) > 0 {
			return named, err
		}
	}
	if ip, err := netip.ParseAddr(arg.name); err == nil && arg.kind != ttp.CampaignScope {
		return withIP(ctx, store, arg.kind, ip)
	}
	if !idBeginning.MatchString(arg.name) {
		return nil, nil
	}
	stored, err := storedWithPrefix(ctx, store, arg)
	if err != nil || len(stored) > 0 || arg.kind == ttp.CampaignScope {
		return stored, err
	}
	return seenWithPrefix(ctx, store, arg)
}

// campaignsNamed returns the campaigns with a name. It ignores case unless one matches exactly.
func campaignsNamed(ctx context.Context, store *ttp.Store, name string) ([]candidate, error) {
	var exact, folded []candidate
	for c, err := range allPages(ctx, campaignPage(store, ttp.Fleet()), uuidOfCampaign) {
		if err != nil {
			return nil, err
		}
		switch found := (candidate{ttp.OfCampaign(c.UUID), c.Name}); {
		case c.Name == name:
			exact = append(exact, found)
		case strings.EqualFold(c.Name, name):
			folded = append(folded, found)
		}
	}
	if len(exact) > 0 {
		return exact, nil
	}
	return folded, nil
}

// withIP returns the attackers with an IP, or their identities.
func withIP(ctx context.Context, store *ttp.Store, kind ttp.ScopeKind, ip netip.Addr) ([]candidate, error) {
	attackers, err := store.ListAttackersByIP(ctx, ip.Unmap())
	if err == nil && ip.Unmap().Is4() { // some producers write IPv4 addresses in their IPv6 form
		var mapped []ttp.Attacker
		mapped, err = store.ListAttackersByIP(ctx, netip.AddrFrom16(ip.As16()))
		attackers = append(attackers, mapped...)
	}
	var found []candidate
	known := map[uuid.UUID]bool{}
	for _, a := range attackers {
		id := a.UUID
		if kind == ttp.IdentityScope {
			id = a.IdentityUUID
		}
		if id != uuid.Nil && !known[id] {
			known[id] = true
			found = append(found, candidate{ttp.Scope{Kind: kind, UUID: id}, a.IP.String()})
		}
	}
	return found, err
}

// mostCandidates limits the candidates that the error about an ambiguous id lists.
const mostCandidates = 10

// storedWithPrefix returns the scopes of a kind whose ids have a prefix.
func storedWithPrefix(ctx context.Context, store *ttp.Store, arg scopeArg) ([]candidate, error) {
	before, prefix := prefixRange(arg.name)
	var found []candidate
	add := func(id uuid.UUID, label string) {
		if hasPrefix(id, prefix) {
			found = append(found, candidate{ttp.Scope{Kind: arg.kind, UUID: id}, label})
		}
	}
	var err error
	switch arg.kind {
	case ttp.CampaignScope:
		var page []campaign
		page, err = campaignPage(store, ttp.Fleet())(ctx, before, mostCandidates)
		for _, c := range page {
			add(c.UUID, c.Name)
		}
	case ttp.IdentityScope:
		var page []identity
		page, err = identityPage(store, ttp.Fleet())(ctx, before, mostCandidates)
		for _, i := range page {
			add(i.UUID, "")
		}
	case ttp.AttackerScope:
		var page []ttp.Attacker
		page, err = attackerPage(store, ttp.Fleet())(ctx, before, mostCandidates)
		for _, a := range page {
			add(a.UUID, ipText(a))
		}
	}
	return found, err
}

// seenWithPrefix returns the scopes that are named by tags only.
func seenWithPrefix(ctx context.Context, store *ttp.Store, arg scopeArg) ([]candidate, error) {
	seen, err := store.Who(ctx, arg.kind, ttp.Filter{}, 0)
	_, prefix := prefixRange(arg.name)
	var found []candidate
	for _, c := range seen {
		if hasPrefix(c.UUID, prefix) {
			found = append(found, candidate{Scope: c.Scope})
		}
	}
	return found, err
}

// findSession returns the session with the id or, if it has no tags, the only session whose id begins with it.
func findSession(ctx context.Context, store *ttp.Store, arg scopeArg) (ttp.Scope, error) {
	exact := ttp.OfSession(arg.name)
	n, err := store.CountTags(ctx, exact, ttp.Filter{})
	if err != nil || n > 0 || len(arg.name) < shortID {
		return exact, err
	}
	sessions, err := store.Who(ctx, ttp.SessionScope, ttp.Filter{}, 0)
	var found []candidate
	for _, s := range sessions {
		if strings.HasPrefix(s.SessionID, arg.name) {
			found = append(found, candidate{Scope: s.Scope})
		}
	}
	switch {
	case err != nil || len(found) == 0:
		return exact, err
	case len(found) > 1:
		return exact, &ambiguousError{arg, found[:min(len(found), mostCandidates)]}
	}
	return found[0].Scope, nil
}

// prefixRange returns the digits of the beginning of an id, and the last id before those that begin with them.
func prefixRange(beginning string) (before uuid.UUID, digits string) {
	digits = strings.ToLower(strings.ReplaceAll(beginning, "-", ""))
	before, err := uuid.Parse((digits + strings.Repeat("0", 32))[:32])
	must(err)
	for i := len(before) - 1; i >= 0; i-- {
		before[i]--
		if before[i] != 0xff {
			break
		}
	}
	return before, digits
}

func hasPrefix(id uuid.UUID, digits string) bool {
	return strings.HasPrefix(strings.ReplaceAll(id.String(), "-", ""), digits)
}

// findTag returns the tag with an id or the beginning of one.
func findTag(ctx context.Context, store *ttp.Store, beginning string) (ttp.Tag, error) {
	if id, err := uuid.Parse(beginning); err == nil {
		return store.GetTag(ctx, id)
	}
	before, digits := prefixRange(beginning)
	page, err := store.ListTagsByUUID(ctx, before, mostCandidates)
	if err != nil {
		return ttp.Tag{}, err
	}
	return theOnly(page, func(t ttp.Tag) uuid.UUID { return t.UUID }, "tag", digits)
}

// findTombstone returns the tombstone with an id or the beginning of one.
func findTombstone(ctx context.Context, store *ttp.Store, beginning string) (uuid.UUID, error) {
	if id, err := uuid.Parse(beginning); err == nil {
		return id, nil
	}
	before, digits := prefixRange(beginning)
	page, err := store.ListTombstones(ctx, before, mostCandidates)
	if err != nil {
		return uuid.Nil, err
	}
	tombstone, err := theOnly(page, func(t ttp.Tombstone) uuid.UUID { return t.UUID }, "tombstone", digits)
	return tombstone.UUID, err
}

// theOnly returns the only row whose id begins with the digits.
func theOnly[T any](rows []T, id func(T) uuid.UUID, kind ttp.ScopeKind, digits string) (T, error) {
	var matching []T
	var found []candidate
	for _, row := range rows {
		if hasPrefix(id(row), digits) {
			matching = append(matching, row)
			found = append(found, candidate{Scope: ttp.Scope{Kind: kind, UUID: id(row)}})
		}
	}
	var none T
	switch len(found) {
	case 0:
		return none, fmt.Errorf("no %s id begins with %s", kind, digits)
	case 1:
		return matching[0], nil
	}
	return none, &ambiguousError{scopeArg{kind, digits}, found}
}
