// Package corpus writes the regular part of reply's corpus: the same letters as the usual mail programs send them
// in five languages. A template per program holds a whole message as that program writes it, header, structure
// and markup; a language holds the people, their answers and the words that programs put around them. What is
// expected comes from the language, not from the code that is tested.
//
// The irregular part, such as bounces of many servers, broken and forged messages, stands as files beside the
// ones written from here. All names and addresses are invented.
package corpus

import (
	"bytes"
	"embed"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"text/template"
)

//go:embed templates
var templates embed.FS

// Message is one mail and what reply must make of it.
type Message struct {
	Name string // file name without ending: "reply-outlook-web-de"
	Raw  []byte
	Want string // the .want file
}

// kind is a family of templates; each stands in a folder of that name.
type kind struct {
	folder string
	want   func(letter) string
}

// kinds are the families.
var kinds = []kind{{"reply", wantReply}, {"absence", wantAbsence}, {"receipt", wantReceipt}, {"undelivered", wantBounce}}

// Messages returns all messages, in the order of their names.
func Messages() ([]Message, error) { return Changed(func(*Language) {}) }

// Changed returns the messages as they would be if people wrote, or were sent, something else.
func Changed(change func(*Language)) ([]Message, error) {
	var all []Message
	for _, k := range kinds {
		names, err := fs.Glob(templates, "templates/"+k.folder+"/*.tmpl")
		if err != nil {
			return nil, err
		}
		for i, name := range names {
			for _, l := range Languages() {
				change(&l)
				m, err := k.write(name, l, i)
				if err != nil {
					return nil, err
				}
				all = append(all, m)
			}
		}
	}
	slices.SortFunc(all, func(a, b Message) int { return strings.Compare(a.Name, b.Name) })
	return all, nil
}

// write fills one template in one language.
func (k kind) write(name string, l Language, number int) (Message, error) {
	program := strings.TrimSuffix(path.Base(name), ".eml.tmpl")
	answer := l.Answers[number%len(l.Answers)]
	data := letter{Language: l, Answer: answer, ID: fmt.Sprintf("%s-%s-%02d", program, l.Code, number), Sent: fmt.Sprintf("orbit-%s%02d.7d1f@orbit.example.com", l.Code, number)}
	t := template.New(path.Base(name)).Option("missingkey=error")
	t.Funcs(funcs(t))
	if _, err := t.ParseFS(templates, "templates/common.tmpl", name); err != nil {
		return Message{}, fmt.Errorf("template %s: %w", name, err)
	}
	var out bytes.Buffer
	if err := t.Execute(&out, data); err != nil {
		return Message{}, fmt.Errorf("template %s: %w", name, err)
	}
	return Message{Name: k.folder + "-" + program + "-" + l.Code, Raw: out.Bytes(), Want: k.want(data)}, nil
}

// letter is what a template is filled with.
type letter struct {
	Language
	Answer Answer
	ID     string // of this message
	Sent   string // of the message that Orbit sent
}

func wantReply(l letter) string {
	head := "class: reply\noriginal: " + l.Sent + "\n"
	if l.Answer.Decision != "" {
		head += "answer: " + l.Answer.Decision + "\n"
	}
	return head + "from: " + l.Address + "\nauthentic: yes\n\n" + l.Answer.Text + "\n"
}

func wantAbsence(l letter) string {
	return "class: auto_reply\noriginal: " + l.Sent + "\nautomatic: yes\nfrom: " + l.Address + "\n\n" + l.Away.Text + "\n"
}

func wantReceipt(l letter) string {
	return "class: receipt\noriginal: " + l.Sent + "\nautomatic: yes\nfrom: " + l.Address + "\nreceipt: displayed " + l.Address + "\n"
}

func wantBounce(l letter) string {
	return "class: bounce\noriginal: " + l.Sent + "\nautomatic: yes\nfrom: postmaster@" + l.Domain + "\nbounce: failed 5.1.10 " + l.Address + "\n"
}
