package ttp

import (
	"context"
	"net/netip"

	"github.com/decnet/ttpstore/db/mysqlgen"
	"github.com/decnet/ttpstore/db/sqlitegen"
)

var listAttackersByIP = many((*sqlitegen.Queries).ListAttackersByIP, (*mysqlgen.Queries).ListAttackersByIP, toAttacker, toAttacker)

// ListAttackersByIP returns the attackers with the IP address, in UUID order. Several attackers may have one address.
// An IPv4 address differs from its IPv4-mapped IPv6 form, as it was stored.
//
// It returns [ErrInvalidQuery] if the address is not set or has a zone.
func (s *Store) ListAttackersByIP(ctx context.Context, ip netip.Addr) ([]Attacker, error) {
	const op = "list attackers by ip"
	var c checker
	switch {
	case !ip.IsValid():
		c.refuse("ip", "must be set")
	case ip.Zone() != "":
		c.refuse("ip", "must have no zone")
	}
	if err := c.queryError(); err != nil {
		return nil, s.refuse(ctx, op, err)
	}
	return query(ctx, s, op, func(q queries) ([]Attacker, error) { return listAttackersByIP(ctx, q, args{IP: nullIP(ip)}) })
}
