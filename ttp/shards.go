package ttp

import (
	"context"
	"sort"
)

// shardOf returns the first hexadecimal digit of a uuid: tags that share it lie on one shard, of 16 at most. On a
// sharded engine a statement locks tags of one digit. One for several shards runs on all at once, so that two of
// them could wait for each other where no server sees it.
func shardOf(id []byte) byte { return id[0] >> 4 }

// inShardOrder runs a query that locks tags by their UUIDs, which are sorted.
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
