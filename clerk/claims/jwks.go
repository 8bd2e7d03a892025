package claims

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	clerksdk "github.com/clerk/clerk-sdk-go/v2"
)

const (
	// idleShare is after which part of Config.MaxKeyAge nobody goes on without having looked again, if Clerk answers. Only who
	// had no request for long comes to it.
	idleShare = 2
	// refreshShare is after which part of Config.MaxKeyAge the keys are fetched again.
	refreshShare = 4
	// fetchPause is how long after a fetch the next one is at least, whatever tokens ask for.
	fetchPause = 5 * time.Second
)

// JWKS returns the keys that are published as a JSON Web Key Set at the URL. "" is where Clerk publishes those of
// Config.Issuer, /.well-known/jwks.json, for which no secret is needed. They are fetched when the first token comes, again
// before they are old, and when a token names a key that is not among them; but no more often than every 5 s, one fetch at a
// time, and never on behalf of a single request: those that need it wait for it together, all others do not wait. A token
// signed by a key that was published within those 5 s is refused once, with UnknownKey.
func JWKS(url string) KeySource { return jwksSource(url) }

type jwksSource string

func (s jwksSource) open(config Config) (keyring, error) {
	address := string(s)
	if address == "" {
		address = config.Issuer + wellKnown
	}
	u, err := absolute(address)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" {
		return nil, errors.New("claims: Config.Keys: the URL of a JWKS must be absolute, http or https, without user, query or fragment")
	}
	if u.Scheme == "http" {
		config.Logger.Warn("Keys are fetched without TLS: right for an emulator, and else lets whoever is on the way choose them", "url", address)
	}
	return &publishedKeys{config: config, url: address}, nil
}

// publishedKeys are the keys as Clerk published them last.
type publishedKeys struct {
	config Config
	url    string

	mu       sync.Mutex
	byID     map[string]*clerksdk.JSONWebKey
	asOf     time.Time     // when the fetch of them began; zero: there are none yet
	triedAt  time.Time     // when the last fetch ended; zero: there was none yet
	failure  error         // of that fetch
	expired  bool          // a token was refused because of it
	fetching chan struct{} // closed when the fetch under way ends; nil: none is
}

// key finds the key. If it is not there, or too old, it waits for one fetch, if there is to be one.
func (p *publishedKeys) key(ctx context.Context, id string) (*clerksdk.JSONWebKey, *Error) {
	key, refusal, fetching := p.look(id)
	if fetching == nil {
		return key, refusal
	}
	select {
	case <-fetching:
	case <-ctx.Done():
		return nil, &Error{Reason: KeysUnavailable, Err: fmt.Errorf("waiting for keys: %w", context.Cause(ctx))}
	}
	key, refusal, _ = p.look(id)
	return key, refusal
}

// look finds the key, or says why there is none, with the fetch under way that is to be waited for, if there is one. It begins
// one if it is time.
func (p *publishedKeys) look(id string) (*clerksdk.JSONWebKey, *Error, <-chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.config.Now()
	age := now.Sub(p.asOf)
	usable := !p.asOf.IsZero() && age < p.config.MaxKeyAge
	key := p.byID[id]
	if !usable || key == nil || age >= p.config.MaxKeyAge/refreshShare {
		p.beginFetch(now)
	}
	switch {
	case !usable:
		p.logExpired()
		return nil, &Error{Reason: KeysUnavailable, Err: p.failure}, p.fetching
	case key == nil:
		return nil, &Error{Reason: UnknownKey}, p.fetching
	case age >= p.config.MaxKeyAge/idleShare && p.failure == nil:
		return key, nil, p.fetching
	default:
		return key, nil, nil
	}
}

// beginFetch begins a fetch, unless one is under way or was a moment ago. The caller holds the lock.
func (p *publishedKeys) beginFetch(now time.Time) {
	if p.fetching != nil || !p.triedAt.IsZero() && now.Sub(p.triedAt) < fetchPause {
		return
	}
	p.fetching = make(chan struct{})
	go p.fetch(now)
}

// fetch is nobody's in particular: a request that is given up does not take the others' keys along.
func (p *publishedKeys) fetch(began time.Time) {
	ctx, cancel := context.WithTimeout(context.Background(), fetchWithin)
	defer cancel()
	byID, err := fetchKeys(ctx, p.config.HTTPClient, p.url)
	p.logFetch(ctx, err)
	p.endFetch(byID, began, err)
	p.config.Observer.KeysFetched(err) // who is told of a fetch can rely on its end
}

func (p *publishedKeys) endFetch(byID map[string]*clerksdk.JSONWebKey, began time.Time, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err == nil {
		p.byID, p.asOf, p.expired = byID, began, false
	}
	p.failure, p.triedAt = err, p.config.Now()
	close(p.fetching)
	p.fetching = nil
}

// logExpired tells once that every token is refused from now on. The caller holds the lock.
func (p *publishedKeys) logExpired() {
	if p.failure == nil || p.expired {
		return
	}
	p.expired = true
	p.config.Logger.Error("Session tokens cannot be verified: there are no keys that are young enough", "url", p.url, "err", p.failure)
}

// logFetch tells of the first failure in a row, and of its end. Nobody but a fetch sets the failure, and there is one at a time.
func (p *publishedKeys) logFetch(ctx context.Context, err error) {
	switch {
	case err != nil && p.failure == nil:
		p.config.Logger.WarnContext(ctx, "Keys of session tokens cannot be fetched: those that are there are used until they are too old",
			"url", p.url, "max_key_age", p.config.MaxKeyAge, "err", err)
	case err == nil && p.failure != nil:
		p.config.Logger.InfoContext(ctx, "Keys of session tokens can be fetched again", "url", p.url)
	}
}
