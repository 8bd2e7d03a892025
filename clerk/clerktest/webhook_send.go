package clerktest

import (
	"bytes"
	"cmp"
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// DefaultWebhookSecret signs webhooks unless told otherwise. It opens nothing else.
const DefaultWebhookSecret = "whsec_Y2xlcmt0ZXN0ZW11bGF0b3I="

// Webhook is one delivery, for tests of receivers.
type Webhook struct {
	ID     string    // the header svix-id; random if empty
	SentAt time.Time // svix-timestamp, in whole seconds; now if zero
	Body   []byte    // see WebhookBody
	// Secrets each give a signature: more than one during a rotation. Defaults to DefaultWebhookSecret.
	Secrets []string
	// Prefix is that of the headers. Defaults to svix; the other that is in use is webhook.
	Prefix string
}

// SignWebhook returns one signature, as svix-signature has it: v1, and base64.
//
// https://docs.svix.com/receiving/verifying-payloads/how-manual
func SignWebhook(secret, id string, sentAt time.Time, body []byte) (string, error) {
	key, err := decodeSecret(secret)
	if err != nil {
		return "", err
	}
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(id + "." + strconv.FormatInt(sentAt.Unix(), 10) + "."))
	mac.Write(body)
	return "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil)), nil
}

func decodeSecret(secret string) ([]byte, error) {
	text, found := strings.CutPrefix(secret, "whsec_")
	key, err := base64.StdEncoding.DecodeString(text)
	if !found || err != nil || len(key) == 0 {
		return nil, errors.New("a webhook's secret is whsec_ and base64") // and is not shown
	}
	return key, nil
}

// Request returns the webhook as it is posted, with all its headers.
func (w Webhook) Request(ctx context.Context, url string) (*http.Request, error) {
	w.ID, w.Prefix = cmp.Or(w.ID, newMessageID()), cmp.Or(w.Prefix, "svix")
	if w.SentAt.IsZero() {
		w.SentAt = time.Now()
	}
	if w.Secrets == nil {
		w.Secrets = []string{DefaultWebhookSecret}
	}
	var signatures []string
	for _, secret := range w.Secrets {
		signature, err := SignWebhook(secret, w.ID, w.SentAt, w.Body)
		if err != nil {
			return nil, err
		}
		signatures = append(signatures, signature)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(w.Body))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("User-Agent", "Svix-Webhooks/1.0 (clerktest)")
	request.Header.Set(w.Prefix+"-Id", w.ID)
	request.Header.Set(w.Prefix+"-Timestamp", strconv.FormatInt(w.SentAt.Unix(), 10))
	request.Header.Set(w.Prefix+"-Signature", strings.Join(signatures, " "))
	return request, nil
}

// Send posts the webhook and returns the status of the answer.
func (w Webhook) Send(ctx context.Context, url string) (int, error) {
	request, err := w.Request(ctx, url)
	if err != nil {
		return 0, err
	}
	response, err := webhookClient.Do(request)
	if err != nil {
		return 0, err
	}
	defer func() { _ = response.Body.Close() }()
	_, _ = io.Copy(io.Discard, io.LimitReader(response.Body, maxBody))
	return response.StatusCode, nil
}

// webhookClient follows no redirects: they are failures, as at Svix.
var webhookClient = &http.Client{
	Transport:     &http.Transport{DisableKeepAlives: true}, // no idle connection stays behind
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}

func newMessageID() string { return "msg_" + rand.Text() }
