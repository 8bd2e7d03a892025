package clerk

import (
	"net/http"
	"time"
)

// NewTransport returns the default of Config.Transport, for who wraps it: Go's own, tuned for many concurrent calls to one
// host.
func NewTransport() *http.Transport {
	transport := &http.Transport{Proxy: http.ProxyFromEnvironment, ForceAttemptHTTP2: true}
	if shared, ok := http.DefaultTransport.(*http.Transport); ok {
		transport = shared.Clone()
	}
	// Go keeps two idle connections per host: with more workers than that, most calls over HTTP/1.1 would dial anew.
	transport.MaxIdleConns = 64
	transport.MaxIdleConnsPerHost = 64
	transport.MaxResponseHeaderBytes = 64 << 10
	// Over HTTP/2 all calls share one connection. Where it dies silently, only a ping notices: without it every call
	// times out until TCP gives up, a quarter of an hour later. https://go.dev/issue/59690
	transport.HTTP2 = &http.HTTP2Config{SendPingTimeout: 5 * time.Second, PingTimeout: 3 * time.Second}
	return transport
}
