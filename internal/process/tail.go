package process

import "sync"

// tailLength is how much of a log is kept: a process under load writes hundreds of lines a second.
const tailLength = 1 << 20

// tail keeps the end of what is written to it. It is safe for concurrent use.
type tail struct {
	mu   sync.Mutex
	text []byte
}

func (t *tail) Write(text []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.text = append(t.text, text...)
	if len(t.text) > 2*tailLength {
		t.text = append(t.text[:0], t.text[len(t.text)-tailLength:]...)
	}
	return len(text), nil
}

func (t *tail) end(length int) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(t.text[max(0, len(t.text)-length):])
}
