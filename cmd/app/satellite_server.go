package main

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
)

// satellite is another application, which has of the organizations what session tokens say.
type satellite struct {
	url      string
	server   *http.Server
	served   chan struct{} // closed when the server has ended
	serveErr chan error
}

// startSatellite starts serving. The caller stops it.
func startSatellite(ctx context.Context, addr string, handler http.Handler, logger *slog.Logger) (*satellite, error) {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", addr)
	if err != nil {
		return nil, err
	}
	s := &satellite{
		url:    "http://" + listener.Addr().String(),
		server: newServer(context.WithoutCancel(ctx), handler, logger), // requests under way are let finish
		served: make(chan struct{}), serveErr: make(chan error, 1),
	}
	go func() {
		defer close(s.served)
		if err := s.server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			s.serveErr <- err
		}
	}()
	return s, nil
}

// wait returns when ctx is done, or with the error that ended the server.
func (s *satellite) wait(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return nil
	case err := <-s.serveErr:
		return err
	}
}

// stop lets the requests under way finish.
func (s *satellite) stop() error {
	ctx, cancel := context.WithTimeout(context.Background(), requestTimeout)
	defer cancel()
	err := s.server.Shutdown(ctx)
	<-s.served
	return err
}
