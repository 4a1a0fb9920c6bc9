package ttp

import (
	"context"
	"sort"
)

// shardOf returns the first hexadecimal digit of a UUID. Tags with the same digit are on the same shard, of at most 16.
// On a sharded engine each statement locks tags of one digit only, since a statement on several shards runs on all of
// them at once, and no server detects a deadlock of two such statements.
func shardOf(id []byte) byte { return id[0] >> 4 }

// inShardOrder runs a query that locks tags by their UUIDs, which must be sorted, shard by shard.
func inShardOrder[T any](ctx context.Context, q queries, lock generated[[]T], ids [][]byte) ([]T, error) {
	var out []T
	for len(ids) > 0 {
		n := len(ids)
		if q.sharded {
			n = sort.Search(n, func(i int) bool { return shardOf(ids[i]) > shardOf(ids[0]) })
		}
		rows, err := lock(ctx, q, args{UUIDs: ids[:n]})
		if err != nil {
			return nil, err
		}
		out, ids = append(out, rows...), ids[n:]
	}
	return out, nil
}
