package pgproxy

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

// dialTimeout bounds one connection attempt; a client would give up at about the same time.
const dialTimeout = 5 * time.Second

// upstream is the server's address.
type upstream struct{ network, address string }

func parseUpstream(databaseURL string) (upstream, error) {
	config, err := pgconn.ParseConfig(databaseURL)
	if err != nil {
		return upstream{}, fmt.Errorf("database URL: %w", err) // pgx redacts the password
	}
	noTLS := func(fallback *pgconn.FallbackConfig) bool { return fallback.TLSConfig == nil }
	if config.TLSConfig != nil && !slices.ContainsFunc(config.Fallbacks, noTLS) {
		return upstream{}, errors.New("database URL: it insists on TLS, which nobody can look into")
	}
	network, address := pgconn.NetworkAddress(config.Host, config.Port)
	return upstream{network, address}, nil
}

func (u upstream) dial(ctx context.Context) (net.Conn, error) {
	dialer := net.Dialer{Timeout: dialTimeout}
	return dialer.DialContext(ctx, u.network, u.address)
}

// throughProxy replaces the server's address in a connection string and turns TLS off.
func throughProxy(databaseURL string, proxy *net.TCPAddr) string {
	u, err := url.Parse(databaseURL)
	if err != nil || u.Scheme == "" {
		return fmt.Sprintf("%s host=%s port=%d sslmode=disable", databaseURL, proxy.IP, proxy.Port) // the last ones count
	}
	query := u.Query()
	for name := range query {
		if name == "host" || name == "port" || strings.HasPrefix(name, "ssl") {
			query.Del(name) // the first two would win over the authority
		}
	}
	query.Set("sslmode", "disable")
	u.Host, u.RawQuery = proxy.String(), query.Encode()
	return u.String()
}
