package mail

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	htmltemplate "html/template"
	"strings"
	"text/template"
	"time"
)

// Kind is what a letter is about.
type Kind string

// The kinds of letters.
const (
	Reset      Kind = "reset"      // a link to a new password
	Confirm    Kind = "confirm"    // a link that shows that the address is somebody's
	Invitation Kind = "invitation" // a link that lets somebody in

	PasswordChanged Kind = "password_changed" // tells so; the link leads to the page
	AddressChanged  Kind = "address_changed"  // tells so the address of before
)

// Letter is what somebody is told.
type Letter struct {
	Kind      Kind
	To        string // an address
	Language  string // "zh", or anything else for English
	Name      string // whom it is for, "" where that is not known
	Workspace string
	By        string // who invites
	Link      string
	ExpiresAt time.Time // zero: never
}

//go:embed templates
var files embed.FS

// words are the parts of a letter that the page around them holds together.
type words struct {
	Letter
	Subject, Greeting, Text, Button, Until, Ignore string
}

func (l Letter) language() string {
	if l.Language == "zh" {
		return "zh"
	}
	return "en"
}

// layouts returns the page around the words.
func layouts() (text *template.Template, html *htmltemplate.Template, err error) {
	text, textErr := template.ParseFS(files, "templates/letter.txt")
	html, htmlErr := htmltemplate.ParseFS(files, "templates/letter.html")
	return text, html, errors.Join(textErr, htmlErr)
}

// compose writes a letter, in text and HTML.
func (l Letter) compose() (subject, text, html string, err error) {
	w, err := l.words()
	if err != nil {
		return "", "", "", err
	}
	plainLayout, richLayout, err := layouts()
	if err != nil {
		return "", "", "", fmt.Errorf("parse templates: %w", err)
	}
	var plain, rich bytes.Buffer
	if err := errors.Join(plainLayout.Execute(&plain, w), richLayout.Execute(&rich, w)); err != nil {
		return "", "", "", fmt.Errorf("write letter: %w", err)
	}
	return w.Subject, plain.String(), rich.String(), nil
}

// line makes one line of what people chose: a name must not look like a paragraph.
func line(s string) string { return strings.Join(strings.Fields(s), " ") }

func (l Letter) words() (words, error) {
	l.Name, l.Workspace, l.By = line(l.Name), line(l.Workspace), line(l.By)
	fill := english
	if l.language() == "zh" {
		fill = chinese
	}
	w := fill(l)
	if w.Subject == "" {
		return words{}, fmt.Errorf("there is no letter %q", l.Kind)
	}
	w.Letter = l
	return w, nil
}

func english(l Letter) words {
	w := words{Greeting: "Hello,"}
	if !l.ExpiresAt.IsZero() {
		w.Until = "The link works until " + l.ExpiresAt.UTC().Format("15:04 on 2 January 2006 (UTC)") + "."
	}
	if l.Name != "" {
		w.Greeting = "Hello " + l.Name + ","
	}
	switch l.Kind {
	case Reset:
		w.Subject = "Choose a new password for " + l.Workspace
		w.Text = "somebody, most likely you, has forgotten your password for " + l.Workspace + ". This link lets you choose a new one; all devices will have to log in again."
		w.Button = "Choose a new password"
		w.Ignore = "If that was not you, do nothing: your password stays as it is. Show the link to nobody."
	case Confirm:
		w.Subject = "Confirm your address for " + l.Workspace
		w.Text = "this address was given for an account in " + l.Workspace + ". Confirm that it is yours, and you can use it when you have forgotten your password."
		w.Button = "Confirm this address"
		w.Ignore = "If that was not you, do nothing: without a confirmation the address is not used."
	case Invitation:
		w.Subject = l.By + " invites you to " + l.Workspace
		w.Text = l.By + " invites you to chat in " + l.Workspace + ". Open the link and choose a name."
		w.Button = "Join " + l.Workspace
		w.Ignore = "If you do not know who that is, do nothing."
	case PasswordChanged:
		w.Subject = "Your password for " + l.Workspace + " was changed"
		w.Text = "the password of your account in " + l.Workspace + " was changed, and other devices were logged out."
		w.Button = "Open " + l.Workspace
		w.Ignore = "If that was you, there is nothing to do. If not, somebody else has your account: choose a new password at once, and tell an administrator."
	case AddressChanged:
		w.Subject = "Your address for " + l.Workspace + " was changed"
		w.Text = "your account in " + l.Workspace + " has another address from now on. Letters, such as those for a forgotten password, no longer come here."
		w.Button = "Open " + l.Workspace
		w.Ignore = "If that was you, there is nothing to do. If not, somebody else has your account: change your password at once, and tell an administrator."
	}
	return w
}

func chinese(l Letter) words {
	w := words{Greeting: "您好："}
	if !l.ExpiresAt.IsZero() {
		w.Until = "此链接有效期至 " + l.ExpiresAt.UTC().Format("2006-01-02 15:04 (UTC)") + "。"
	}
	if l.Name != "" {
		w.Greeting = l.Name + "，您好："
	}
	switch l.Kind {
	case Reset:
		w.Subject = "重置您在" + l.Workspace + "的密码"
		w.Text = "我们收到了重置您在" + l.Workspace + "的密码的请求。请通过以下链接设置新密码；之后所有设备都需要重新登录。"
		w.Button = "设置新密码"
		w.Ignore = "如果这不是您本人的操作，请忽略此邮件，您的密码不会改变。请勿将链接告诉任何人。"
	case Confirm:
		w.Subject = "确认您在" + l.Workspace + "的邮箱地址"
		w.Text = "有人在" + l.Workspace + "的账号中填写了此邮箱地址。请确认该地址属于您，以便在忘记密码时使用。"
		w.Button = "确认邮箱地址"
		w.Ignore = "如果这不是您本人的操作，请忽略此邮件，未经确认的地址不会被使用。"
	case Invitation:
		w.Subject = l.By + "邀请您加入" + l.Workspace
		w.Text = l.By + "邀请您加入" + l.Workspace + "一起聊天。请打开链接并选择一个名字。"
		w.Button = "加入" + l.Workspace
		w.Ignore = "如果您不认识对方，请忽略此邮件。"
	case PasswordChanged:
		w.Subject = "您在" + l.Workspace + "的密码已更改"
		w.Text = "您在" + l.Workspace + "的账号密码已更改，其他设备已退出登录。"
		w.Button = "打开" + l.Workspace
		w.Ignore = "如果这是您本人的操作，请忽略此邮件。否则说明他人正在使用您的账号：请立即设置新密码，并告知管理员。"
	case AddressChanged:
		w.Subject = "您在" + l.Workspace + "的邮箱地址已更改"
		w.Text = "您在" + l.Workspace + "的账号已改用其他邮箱地址，重置密码等邮件将不再发送到此地址。"
		w.Button = "打开" + l.Workspace
		w.Ignore = "如果这是您本人的操作，请忽略此邮件。否则说明他人正在使用您的账号：请立即更改密码，并告知管理员。"
	}
	return w
}
