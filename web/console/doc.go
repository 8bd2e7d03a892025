// Package console is the operator console: pages that tell where each organization stands at Clerk, why, and what to do
// about it, and that do it. [New] makes a [net/http.Handler] for [Patterns], below a prefix if it is told one; who may see
// it is up to whoever mounts it, see package web.
//
//	/                       is there anything to worry about; breaker, queue, processes
//	/organizations          search, filter by state
//	/organizations/{id}     Postgres and Clerk side by side, what it waits for, its deliveries and its score
//	/parked                 what was given up on, by reason
//	/drift                  what the last comparison with Clerk found
//	/operators              who did what by hand
//
// The pages are made here, need no JavaScript, and refresh themselves if there is some. Jobs have River UI.
//
// Whatever changes something is a POST, which the caller refuses when it comes from another site, is kept in the operator log
// before it is done, and ends in a redirect to the page it was done from. What fans out, or lets loose what waits, asks
// first, on a page of its own, and then does what was shown there or asks again.
//
// A page costs what it shows, however many organizations there are.
package console
