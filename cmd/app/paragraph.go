package main

import (
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"
)

// textWidth is that of the narrowest terminal that is still usual.
const textWidth = 80

// printParagraphs prints text for people.
func printParagraphs(w io.Writer, paragraphs []string) error {
	for _, paragraph := range paragraphs {
		if _, err := fmt.Fprintln(w, wrapped(paragraph)); err != nil {
			return err
		}
	}
	return nil
}

// wrapped breaks lines between words. A word that is longer than a line is left whole: it may be something to copy.
func wrapped(text string) string { return wrappedAt(text, textWidth) }

func wrappedAt(text string, most int) string {
	var b strings.Builder
	width := 0
	for _, word := range strings.Fields(printable(text)) {
		n := utf8.RuneCountInString(word)
		switch {
		case width == 0:
		case width+1+n > most:
			b.WriteByte('\n')
			width = 0
		default:
			b.WriteByte(' ')
			width++
		}
		b.WriteString(word)
		width += n
	}
	return b.String()
}

// printable keeps what others said, such as Clerk or who logged in, from steering the terminal.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) && !unicode.IsSpace(r) {
			return '\uFFFD'
		}
		return r
	}, text)
}

// shortened is the beginning of text on one line, enough to recognize it.
func shortened(text string, width int) string {
	text = strings.Join(strings.Fields(printable(text)), " ")
	if utf8.RuneCountInString(text) <= width {
		return text
	}
	return string([]rune(text)[:width-1]) + "…"
}
