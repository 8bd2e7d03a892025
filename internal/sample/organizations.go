// Package sample makes up roofing companies that look real, for the demo and for benchmarks. The same seed makes the
// same companies; any likeness to a company that exists is chance.
package sample

import (
	"fmt"
	"iter"
	"math/rand/v2"
	"time"

	"github.com/claimsync/claimsync/scoring"
)

// Organizations yields n organizations with distinct ids, names and Clerk ids. Every tenth is not linked to Clerk. Each
// depends only on the seed, on its position and on now, to which its dates are relative: a longer run starts with the
// organizations of a shorter one.
func Organizations(seed uint64, n int, now time.Time) iter.Seq[scoring.OrganizationFacts] {
	now = now.UTC().Truncate(time.Second)
	return func(yield func(scoring.OrganizationFacts) bool) {
		for i := range n {
			if !yield(organization(seed, i, now)) {
				return
			}
		}
	}
}

func organization(seed uint64, i int, now time.Time) scoring.OrganizationFacts {
	m := maker{rand.New(rand.NewPCG(seed, uint64(i))), now}
	org := scoring.OrganizationFacts{ID: m.uuid(), Name: name(seed, i)}
	if clerkOrgID := m.clerkOrgID(); i%10 != 9 {
		org.ClerkOrgID = &clerkOrgID
	}
	p := m.profile()
	org.CertificationTier = m.tier(p)
	org.Facts = m.facts(p, org.CertificationTier)
	return org
}

// maker makes up one organization.
type maker struct {
	*rand.Rand
	now time.Time
}

// uuid is of version 4 in form, but repeatable.
func (m maker) uuid() string {
	a, b := m.Uint64(), m.Uint64()
	a = a&^0xf000 | 0x4000
	b = b&^(0b11<<62) | 0b10<<62
	return fmt.Sprintf("%08x-%04x-%04x-%04x-%012x", a>>32, a>>16&0xffff, a&0xffff, b>>48, b&(1<<48-1))
}

// clerkOrgID has the form of Clerk's own ids: 27 characters of base 62.
func (m maker) clerkOrgID() string {
	const base62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	id := make([]byte, 27)
	for i := range id {
		id[i] = base62[m.IntN(len(base62))]
	}
	return "org_" + string(id)
}

// chance is true with the given probability.
func (m maker) chance(probability float64) bool { return m.Float64() < probability }

// in returns a time a number of days from now, at some time of that day, so that not all changes come at once.
func (m maker) in(days int) time.Time {
	return m.now.Add(time.Duration(days)*24*time.Hour - time.Duration(m.IntN(24*60))*time.Minute)
}

func pick[T any](m maker, from ...T) T { return from[m.IntN(len(from))] }
