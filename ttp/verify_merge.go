package ttp

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/google/uuid"
)

// chain is the end of a chain of merges.
type chain struct {
	survivor uuid.UUID // the last scope, or a scope of the cycle
	stored   bool      // the last scope is stored
	cycle    bool
}

// follow follows the merges from id to the end of their chain. The function next returns the scope that one is merged
// into.
func follow(ctx context.Context, id uuid.UUID, next func(context.Context, uuid.UUID) (uuid.UUID, error)) (chain, error) {
	for seen := map[uuid.UUID]bool{}; ; {
		if seen[id] {
			return chain{survivor: id, cycle: true}, nil
		}
		seen[id] = true
		into, err := next(ctx, id)
		switch {
		case errors.Is(err, sql.ErrNoRows):
			return chain{survivor: id}, nil
		case err != nil:
			return chain{}, err
		case into == uuid.Nil:
			return chain{survivor: id, stored: true}, nil
		}
		id = into
	}
}

// mergeCheck checks the merges of a page. It caches pointers, since scopes may share a long chain.
type mergeCheck struct {
	k        mergeKind
	q        queries
	pointers map[uuid.UUID]pointer
}

type pointer struct {
	into uuid.UUID
	err  error
}

func newMergeCheck(k mergeKind, q queries) mergeCheck {
	return mergeCheck{k, q, map[uuid.UUID]pointer{}}
}

func (m mergeCheck) next(ctx context.Context, id uuid.UUID) (uuid.UUID, error) {
	p, cached := m.pointers[id]
	if !cached {
		var state mergeState
		state, p.err = m.k.get(ctx, m.q, byID(id))
		p.into = state.mergedInto
		m.pointers[id] = p
	}
	return p.into, p.err
}

// check checks that the merges of a scope end at a stored scope, and that this is the survivor.
func (m mergeCheck) check(ctx context.Context, id, into, survivor uuid.UUID) ([]fault, error) {
	if into == uuid.Nil && survivor == id {
		return nil, nil
	}
	end, err := follow(ctx, id, m.next)
	if err != nil {
		return nil, err
	}
	f := Finding{Of: m.k.name, UUID: id}
	if end.cycle {
		if end.survivor != id { // leads to a cycle, which is a finding of the scopes in it
			return nil, nil
		}
		f.Kind, f.Detail = MergeCycle, fmt.Sprintf("is merged into %s, which leads back to it", into)
		return []fault{{Finding: f}}, nil
	}
	var faults []fault
	if !end.stored && end.survivor == into {
		f.Kind, f.Detail = DanglingMerge, fmt.Sprintf("is merged into %s, which is not stored", into)
		faults = append(faults, fault{Finding: f})
	}
	if survivor != end.survivor {
		f.Kind, f.Detail = WrongSurvivor, fmt.Sprintf("has the survivor %s but its merges lead to %s", survivor, end.survivor)
		faults = append(faults, fault{f, func(ctx context.Context, q queries) (bool, error) {
			return m.k.repairSurvivor(ctx, q, id)
		}})
	}
	return faults, nil
}

// repairSurvivor sets the survivor from the chain, under the lock on merges.
func (k mergeKind) repairSurvivor(ctx context.Context, q queries, id uuid.UUID) (bool, error) {
	if err := lockMerges(ctx, q, args{Kind: k.name}); err != nil {
		return false, err
	}
	end, err := follow(ctx, id, k.lockedMergedInto(q))
	if err != nil || end.cycle {
		return false, err
	}
	n, err := k.setSurvivors(ctx, q, args{SurvivorUUID: end.survivor[:], UUIDs: [][]byte{id[:]}})
	return n > 0, err
}

func (k mergeKind) lockedMergedInto(q queries) func(context.Context, uuid.UUID) (uuid.UUID, error) {
	return func(ctx context.Context, id uuid.UUID) (uuid.UUID, error) {
		stored, err := k.lock(ctx, q, byID(id))
		return stored.mergedInto, err
	}
}
