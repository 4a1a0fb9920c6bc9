package ttp

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/google/uuid"
)

// chain is where merges lead.
type chain struct {
	survivor uuid.UUID // the last one, stored or not
	stored   bool      // the last one is stored
	cycle    bool      // there is no last one
}

// follow walks from id along the pointers that next reads.
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

// mergeCheck checks the merges of a page. It remembers pointers, since one chain may have many of them.
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
	p, known := m.pointers[id]
	if !known {
		var state mergeState
		state, p.err = m.k.get(ctx, m.q, byID(id))
		p.into = state.mergedInto
		m.pointers[id] = p
	}
	return p.into, p.err
}

// check looks whether a pointer leads anywhere, and whether the survivor is there.
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
		if end.survivor != id { // it leads to a cycle, which is told of those that are in it
			return nil, nil
		}
		f.Kind, f.Detail = MergeCycle, fmt.Sprintf("is merged into %s, which leads back", into)
		return []fault{{Finding: f}}, nil
	}
	var faults []fault
	if !end.stored && end.survivor == into {
		f.Kind, f.Detail = DanglingMerge, fmt.Sprintf("is merged into %s, which is not stored", into)
		faults = append(faults, fault{Finding: f})
	}
	if survivor != end.survivor {
		f.Kind, f.Detail = WrongSurvivor, fmt.Sprintf("has the survivor %s, its merges lead to %s", survivor, end.survivor)
		faults = append(faults, fault{f, func(ctx context.Context, q queries) (bool, error) { return m.k.mendSurvivor(ctx, q, id) }})
	}
	return faults, nil
}

// mendSurvivor follows the chain again, while nobody else merges.
func (k mergeKind) mendSurvivor(ctx context.Context, q queries, id uuid.UUID) (bool, error) {
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
