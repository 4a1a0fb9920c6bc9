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
			return chain{cycle: true}, nil
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

// checkMerge looks whether a pointer leads anywhere, and whether the survivor is there.
func checkMerge(ctx context.Context, q queries, kind func(queries) mergeKind, id, into, survivor uuid.UUID) ([]fault, error) {
	if into == uuid.Nil && survivor == id {
		return nil, nil
	}
	k := kind(q)
	end, err := follow(ctx, id, k.mergedInto)
	if err != nil {
		return nil, err
	}
	f := Finding{Of: k.name, UUID: id}
	if end.cycle {
		f.Kind, f.Detail = MergeCycle, fmt.Sprintf("is merged into %s, which leads back", into)
		return []fault{{Finding: f}}, nil
	}
	var faults []fault
	if !end.stored && end.survivor == into {
		f.Kind, f.Detail = MergedIntoNothing, fmt.Sprintf("is merged into %s, which is not stored", into)
		faults = append(faults, fault{Finding: f})
	}
	if survivor != end.survivor {
		f.Kind, f.Detail = WrongSurvivor, fmt.Sprintf("has the survivor %s, its merges lead to %s", survivor, end.survivor)
		faults = append(faults, fault{f, func(ctx context.Context, q queries) (bool, error) { return kind(q).mendSurvivor(ctx, id) }})
	}
	return faults, nil
}

// mendSurvivor follows the chain again, while nobody else merges.
func (k mergeKind) mendSurvivor(ctx context.Context, id uuid.UUID) (bool, error) {
	if err := k.lockAll(ctx, k.name); err != nil {
		return false, err
	}
	end, err := follow(ctx, id, func(ctx context.Context, id uuid.UUID) (uuid.UUID, error) {
		into, _, err := k.lock(ctx, id)
		return into, err
	})
	if err != nil || end.cycle {
		return false, err
	}
	n, err := k.setSurvivors(ctx, asked{SurvivorUUID: end.survivor[:], UUIDs: [][]byte{id[:]}})
	return n > 0, err
}
